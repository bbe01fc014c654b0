import { createHash, randomBytes } from 'node:crypto';
import { authError, Refusal } from './refusal.ts';
import type { Shelf } from './shelf.ts';
import { createTree, type Tree } from './tree.ts';

/** Of the routes that the fake has; an app has others besides. */
export const SCOPES = [
  'account_info.read',
  'files.metadata.read',
  'files.content.write',
  'files.content.read',
] as const;

/** A registered app of the App Console. */
export interface App {
  readonly key: string;
  readonly secret: string;
  /** Sees everything, or the folder `/Apps/<name>` alone and calls that its root. */
  readonly access: 'full' | 'app-folder';
  readonly name: string;
  readonly scopes: readonly string[];
}

export interface Account {
  readonly id: string;
  readonly tree: Tree;
  /** Bytes. */
  quota: number;
}

/** That an account lets an app in. */
export interface Grant {
  readonly app: App;
  readonly account: Account;
  readonly scopes: readonly string[];
}

interface Refreshable extends Grant {
  /** Whether the app proved itself by a code verifier (RFC 7636) and has no secret to give. */
  readonly pkce: boolean;
}

interface Code extends Refreshable {
  readonly challenge: string | undefined;
  readonly offline: boolean;
}

const token = (prefix: string) => `${prefix}${randomBytes(32).toString('base64url')}`;

/** `{"error": …, "error_description": …}` (RFC 6749, 5.2), with 400 also where a token was revoked. */
function refusal(error: string, description: string): Refusal {
  return new Refusal(400, { error, error_description: description });
}

/**
 * Who may come in: apps, accounts, authorization codes, refresh and access tokens, as
 * developers.dropbox.com/oauth-guide and dropbox.com/developers/documentation/http ("oauth2") have them.
 */
export function openOAuth() {
  const apps = new Map<string, App>();
  const codes = new Map<string, Code>();
  const refreshTokens = new Map<string, Refreshable>();
  const accessTokens = new Map<string, Grant & { expiresAt: number; readonly of: string }>();
  let lifetimeSeconds = 14_400;
  let refreshes = 0;

  const issue = (grant: Grant, of: string) => {
    const access = token('sl.');
    const { app, account, scopes } = grant;
    const expiresAt = Date.now() + lifetimeSeconds * 1000;
    accessTokens.set(access, { app, account, scopes, of, expiresAt });
    return { access_token: access, token_type: 'bearer', expires_in: lifetimeSeconds };
  };

  const byCode = (form: URLSearchParams, app: App) => {
    const code = form.get('code') ?? '';
    const found = codes.get(code);
    codes.delete(code);
    if (found?.app !== app) throw refusal('invalid_grant', "code doesn't exist or has expired");
    const verifier = form.get('code_verifier') ?? '';
    const challenge = createHash('sha256').update(verifier).digest('base64url');
    if (found.pkce && found.challenge !== challenge) {
      throw refusal('invalid_grant', 'invalid code verifier');
    }
    if (!found.pkce) assertSecret(form, app);
    const refresh = found.offline ? token('') : undefined;
    if (refresh !== undefined) refreshTokens.set(refresh, found);
    return {
      ...issue(found, refresh ?? ''),
      ...(refresh === undefined ? {} : { refresh_token: refresh }),
      scope: found.scopes.join(' '),
      uid: found.account.id,
      account_id: `dbid:${found.account.id}`,
    };
  };

  const byRefreshToken = (form: URLSearchParams, app: App) => {
    const given = form.get('refresh_token') ?? '';
    const found = refreshTokens.get(given);
    if (found && !found.pkce) assertSecret(form, app);
    if (found?.app !== app) {
      throw refusal('invalid_grant', 'refresh token is invalid or revoked');
    }
    refreshes += 1;
    return issue(found, given);
  };

  return {
    addApp(app: App): App {
      apps.set(app.key, app);
      return app;
    },

    addAccount(id: string, quota = Number.MAX_SAFE_INTEGER, shelf?: Shelf): Account {
      return { id, tree: createTree(shelf), quota };
    },

    /** A refresh token without the way through a browser; a new one unless given. */
    connect(
      app: App,
      account: Account,
      given: Partial<Refreshable> = {},
      refresh = token(''),
    ): string {
      refreshTokens.set(refresh, { app, account, scopes: app.scopes, pkce: false, ...given });
      return refresh;
    },

    /** What a refresh token gives, without a request. */
    accessTokenFor(refresh: string) {
      const found = refreshTokens.get(refresh);
      if (!found) throw new Error('There is no such refresh token.');
      return issue(found, refresh);
    },

    /** What happens when a person follows the link of an app and allows it: the code that is shown. */
    approve(query: URLSearchParams, account: Account): string {
      const app = apps.get(query.get('client_id') ?? '');
      if (!app) throw new Refusal(400, 'Invalid client_id');
      if (query.get('response_type') !== 'code') throw new Refusal(400, 'Invalid response_type');
      const challenge = query.get('code_challenge') ?? undefined;
      if (challenge !== undefined && query.get('code_challenge_method') !== 'S256') {
        throw new Refusal(400, 'Invalid code_challenge_method');
      }
      const asked = query.get('scope')?.split(' ') ?? app.scopes;
      const code = token('');
      codes.set(code, {
        app,
        account,
        scopes: asked.filter((scope) => app.scopes.includes(scope)),
        pkce: challenge !== undefined,
        challenge,
        offline: query.get('token_access_type') === 'offline',
      });
      return code;
    },

    /** `oauth2/token`; parameters come in the body or the URL, the app in them or by Basic. */
    token(form: URLSearchParams, authorization: string | undefined): object {
      const basic = /^Basic (.+)$/.exec(authorization ?? '')?.[1];
      if (basic !== undefined) {
        const [key = '', secret = ''] = Buffer.from(basic, 'base64').toString().split(':');
        form.set('client_id', key);
        form.set('client_secret', secret);
      }
      const app = apps.get(form.get('client_id') ?? '');
      if (!app) throw refusal('invalid_client', 'Invalid client_id or client_secret');
      switch (form.get('grant_type')) {
        case 'authorization_code':
          return byCode(form, app);
        case 'refresh_token':
          return byRefreshToken(form, app);
        default:
          throw refusal('unsupported_grant_type', 'grant type is not supported');
      }
    },

    /** Whom the `Authorization` header lets in. @throws Refusal */
    enter(authorization: string | undefined, scope: string): Grant {
      const given = /^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '';
      const found = accessTokens.get(given);
      if (!found) throw authError('invalid_access_token');
      if (found.expiresAt <= Date.now()) throw authError('expired_access_token');
      if (!found.scopes.includes(scope))
        throw authError('missing_scope', { required_scope: scope });
      return found;
    },

    /** From now on, of new access tokens. */
    set lifetimeSeconds(seconds: number) {
      lifetimeSeconds = seconds;
    },

    /** Access tokens that were given for a refresh token so far. */
    get refreshes(): number {
      return refreshes;
    },

    get accessTokens(): readonly string[] {
      return [...accessTokens.keys()];
    },

    /** All access tokens run out now. */
    expireAccessTokens(): void {
      for (const one of accessTokens.values()) one.expiresAt = 0;
    },

    /** As when the person disconnects the app: its tokens do not exist any more. */
    revoke(refresh: string): void {
      refreshTokens.delete(refresh);
      for (const [access, { of }] of accessTokens) if (of === refresh) accessTokens.delete(access);
    },
  };
}

function assertSecret(form: URLSearchParams, app: App): void {
  if (form.get('client_secret') === app.secret) return;
  throw refusal('invalid_client', 'Invalid client_id or client_secret');
}
