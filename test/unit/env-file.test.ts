import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEnvFile } from '../../cli/import/env-file.ts';

const values = (text: string) =>
  Object.fromEntries(readEnvFile(text).variables.map(({ name, value }) => [name, value]));

describe('an environment file', () => {
  it.each([
    ['A=b', 'b'],
    ['export A=b', 'b'],
    ['  A = b  ', 'b'],
    ['A=', ''],
    ['A= # nothing', ''],
    ['A=b # comment', 'b'],
    ['A=b#c', 'b#c'],
    ['A=#b', ''],
    ["A='b # c'", 'b # c'],
    ['A="b # c" # d', 'b # c'],
    ['A="b\\nc"', 'b\nc'],
    ["A='b\\nc'", 'b\\nc'],
    ['A="b\\"c"', 'b"c'],
    ['A="b\\wc"', 'b\\wc'],
    ['A="\\$b"', '$b'],
    ['A="b\nc"', 'b\nc'],
    ['A=b=c', 'b=c'],
    ['A=b"c', 'b"c'],
    ['\uFEFFA=b\r\n', 'b'],
  ])('%j gives %j', (text, value) => {
    expect(values(text)).toEqual({ A: value });
  });

  it('leaves out what is no variable, tells where, and does not show it', () => {
    const text = 'A=1\nsecret words\n"x"=y\nC="a"b\nB="never closed\nD=2\n';
    const { unreadable, variables } = readEnvFile(text);
    expect(variables.map(({ name }) => name)).toEqual(['A', 'D']);
    expect(unreadable.map(({ line }) => line)).toEqual([2, 3, 4, 5]);
    expect(JSON.stringify(unreadable)).not.toMatch(/secret|never/);
  });

  it('counts lines through values of several lines', () => {
    const { variables } = readEnvFile('A="1\n2\n3"\n\nB=4\n');
    expect(variables.map(({ name, line }) => [name, line])).toEqual([
      ['A', 1],
      ['B', 5],
    ]);
  });

  it('tells a value in which a variable may be meant', () => {
    const text = 'A=$HOME/x\nB=$\u007bHOME}\nC=a$1\nD=\'$HOME\'\nE="$HOME"\nF="\\$HOME"\n';
    const meant = readEnvFile(text).variables.filter(({ mayExpand }) => mayExpand);
    expect(meant.map(({ name }) => name)).toEqual(['A', 'B', 'E']);
  });

  it('gives back any value that was written in single or double quotes', () => {
    const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,10}$/);
    const value = fc.string({ unit: 'binary' }).map((text) => text.replace(/\r\n?/g, '\n'));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value, fc.boolean())), (entries) => {
        const lines = entries.map(([key, text, single]) =>
          single && !text.includes("'")
            ? `${key}='${text}'`
            : `export ${key}="${text.replace(/[\\"$]/g, (character) => `\\${character}`)}" # c`,
        );
        const { unreadable, variables } = readEnvFile(lines.join('\n'));
        expect(unreadable).toEqual([]);
        expect(variables.map((found) => [found.name, found.value])).toEqual(
          entries.map(([key, text]) => [key, text]),
        );
      }),
    );
  });

  it('gives back any password without spaces that was written without quotes', () => {
    const password = fc.stringMatching(/^[!$-&(-~][!-~]{0,30}$/);
    fc.assert(
      fc.property(password, (text) => {
        expect(values(`A=${text}`)).toEqual({ A: text });
      }),
    );
  });

  it('of any content is read without an error, and no line is lost', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const { unreadable, variables } = readEnvFile(text);
        for (const { line } of [...unreadable, ...variables]) expect(line).toBeGreaterThan(0);
      }),
    );
  });
});
