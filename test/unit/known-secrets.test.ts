import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { reduceCause } from '../../functions/core/cause.ts';
import { FerryError } from '../../functions/core/errors.ts';
import { hideSecrets } from '../../functions/core/known-secrets.ts';
import { SealedSecret, Secret } from '../../functions/core/secret.ts';

const base64 = (text: string) => Buffer.from(text).toString('base64');

describe('a text that is told', () => {
  const password = 'p"ss/w\\rd+& ü?é';
  new Secret(password);

  it.each([
    ['as it is', password],
    ['as JSON', JSON.stringify({ password })],
    ['in a URL', `https://x/?p=${encodeURIComponent(password)}`],
    ['in a URL with small hex digits', encodeURIComponent(password).toLowerCase()],
    ['in a form', new URLSearchParams({ password }).toString()],
    ['in base64', base64(password)],
    ['in base64 for URLs', Buffer.from(password).toString('base64url')],
    ['behind a user name', `Basic ${base64(`a:${password}`)}`],
    ['behind a longer user name', `Basic ${base64(`an:${password}`)}`],
    ['behind a user name that is longer still', `Basic ${base64(`ann:${password}`)}`],
  ])('holds no secret %s', (_how, text) => {
    const hidden = hideSecrets(text);
    expect(hidden).toContain('[secret]');
    expect(hidden).not.toMatch(/w(\\+|%5c)rd|%c3%bc/i);
    const [, last = ''] = base64(password).match(/(.{8})$/) ?? [];
    expect(hidden).not.toContain(last);
  });

  it('holds no secret, whatever it is and whatever stands around it', () => {
    const secret = fc.string({ unit: 'grapheme', minLength: 8, maxLength: 60 });
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (text, before, after) => {
        fc.pre(text.trim().length >= 8);
        new Secret(text);
        expect(hideSecrets(`${before}${text}${after}`)).not.toContain(text);
        const whole = base64(`${before}:${text}`);
        expect(Buffer.from(hideSecrets(whole), 'base64').toString()).not.toContain(text);
      }),
    );
  });

  it('holds no line of a key', () => {
    const line = 'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW';
    new Secret(`-----BEGIN OPENSSH PRIVATE KEY-----\n${line}\n-----END OPENSSH PRIVATE KEY-----\n`);
    expect(hideSecrets(`bad line: ${line}`)).toBe('bad line: [secret]');
  });

  it('keeps its ordinary words where the sentence is ours', () => {
    for (const word of ['server', 'password', 'archive', '2026']) new Secret(word);
    const error = new FerryError('auth-refused', 'The server refuses the password.', {
      retry: 'never',
      cause: new Error('wrong password'),
    });
    expect(error.message).toBe('The server refuses the password.');
    expect(error.cause).toMatchObject({ message: 'wrong [secret]' });
  });

  it('keeps what is shorter than a word, which short secrets are part of', () => {
    new Secret('ssh');
    expect(hideSecrets('over ssh')).toBe('over ssh');
  });

  it('forgets what was used long ago, and not what is used all the time', () => {
    new Secret('the first of many');
    for (let n = 0; n < 250; n += 1) {
      new Secret(`secret number ${n}`);
      new Secret('always in use');
    }
    expect(hideSecrets('always in use, secret number 249')).toBe('[secret], [secret]');
    expect(hideSecrets('the first of many')).toBe('the first of many');
  });
});

describe('an error of Ferry', () => {
  const token = 'marked-token-of-ann-7';

  /** As client libraries make them: requests, headers and bodies on the error and beneath it. */
  const ofLibrary = () => {
    const request = { headers: { authorization: `Bearer ${token}` }, url: `https://x/?t=${token}` };
    const inner = Object.assign(new TypeError(`connect with ${token}`), { code: 'ECONNRESET' });
    const error = Object.assign(new Error(`401 for ${token}`, { cause: inner }), {
      ...{ name: 'HttpError', status: 401, request, response: { body: [token] } },
      toJSON: () => ({ request }),
    });
    Object.defineProperty(error, 'config', { value: request, enumerable: false });
    return error;
  };

  it('keeps of its cause what helps, and no secret anywhere', () => {
    new Secret(token);
    const error = new FerryError('auth-refused', `The server said: ${token}.`, {
      retry: 'never',
      cause: ofLibrary(),
    });
    expect(inspect(ofLibrary(), { depth: 9, showHidden: true })).toContain(token);
    for (const shown of [
      inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true }),
      JSON.stringify(error),
      `${error.stack}`,
    ]) {
      expect(shown).not.toContain(token);
    }
    expect(error.message).toBe('The server said: [secret].');
    expect(error.cause).toMatchObject({
      name: 'HttpError',
      message: '401 for [secret]',
      status: 401,
      cause: { name: 'TypeError', message: 'connect with [secret]', code: 'ECONNRESET' },
    });
  });

  it('keeps the reasons of a bundle of errors, and survives odd ones', () => {
    const bundle = new AggregateError([new Error('a refused'), new Error('b timed out')]);
    expect(reduceCause(bundle)).toMatchObject({ message: 'a refused; b timed out' });
    const odd = {
      get message() {
        throw new Error('no');
      },
    };
    expect(reduceCause(odd)).toMatchObject({ name: 'Thrown', message: '' });
    expect(reduceCause('a text')).toMatchObject({ message: 'a text' });
    const loop: { cause?: unknown; message: string } = { message: 'round' };
    loop.cause = loop;
    expect(reduceCause(loop)).toMatchObject({ message: 'round', cause: { message: 'round' } });
    expect(reduceCause(undefined)).toBeUndefined();
  });
});

describe('a secret', () => {
  it('is printed by nothing', () => {
    for (const secret of [new Secret('tr0ub4dor'), new SealedSecret()]) {
      const shown = [
        `${secret}`,
        JSON.stringify({ secret }),
        inspect(secret, { showHidden: true, depth: 9 }),
        inspect({ ...secret }),
        String(Object.entries(secret)),
      ];
      expect(shown.join()).not.toContain('tr0ub4dor');
      expect(() => structuredClone(secret)).not.toThrow();
      expect(JSON.stringify(structuredClone(secret))).not.toContain('tr0ub4dor');
    }
  });

  it('that is sealed cannot be read', () => {
    const sealed = new SealedSecret();
    expect(sealed.isSealed).toBe(true);
    expect(() => sealed.reveal()).toThrow('cannot be read');
  });
});
