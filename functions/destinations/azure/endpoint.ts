import type { Parsed } from '../../core/problem.ts';
import { refuse } from './refusal.ts';

/** Where Azure's public cloud has an account. */
export function publicEndpoint(account: string, suffix = 'core.windows.net', protocol = 'https') {
  return new URL(`${protocol}://${account}.blob.${suffix}/`);
}

/** The same address with exactly one slash at the end of its path, and nothing after it. */
export function withOneSlash(url: URL): URL {
  const copy = new URL(url.origin);
  copy.pathname = `${url.pathname.replace(/\/+$/, '')}/`;
  return copy;
}

/**
 * The endpoint from its template, in which `{{ .AccountName }}` stands for the account; Azure's own
 * without a template. Undefined where neither tells it.
 */
export function toEndpoint(
  template: string | undefined,
  account: string | undefined,
): Parsed<URL | undefined> {
  if (template === undefined) {
    return { ok: true, value: account === undefined ? undefined : publicEndpoint(account) };
  }
  const text = template.replaceAll(/\{\{-?\s*\.AccountName\s*-?\}\}/g, account ?? '');
  if (text.includes('{{')) {
    return refuse('AZURE_STORAGE_ENDPOINT', {
      problem: 'The template holds more than the name of the account.',
      remedy:
        'Use {{ .AccountName }} alone, as in https://{{ .AccountName }}.blob.core.windows.net/.',
    });
  }
  if (account === undefined && text !== template) {
    return refuse('AZURE_STORAGE_ACCOUNT_NAME', {
      problem: 'AZURE_STORAGE_ENDPOINT holds {{ .AccountName }}, and there is no account.',
      remedy: 'Give AZURE_STORAGE_ACCOUNT_NAME, or write the address out.',
    });
  }
  const url = URL.parse(text);
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.search === '') {
    return { ok: true, value: withOneSlash(url) };
  }
  return refuse('AZURE_STORAGE_ENDPOINT', {
    problem: 'This is not the address of a storage account.',
    remedy: 'Write it like https://{{ .AccountName }}.blob.core.windows.net/.',
  });
}
