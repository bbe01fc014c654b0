import { parseXML } from 'webdav';

/**
 * What a server tells in XML, for a schema to look at; undefined where it is none. Namespaces are left
 * out, and of several groups of properties the first is taken.
 */
export async function parseMultistatus(xml: string): Promise<unknown> {
  const context = {
    attributeNamePrefix: '@',
    attributeParsers: [],
    tagParsers: [],
    // Without it, characters that are written as numbers stay numbers (XML 1.0, 4.1).
    entityDecoder: {},
  };
  return parseXML(xml, context).catch(() => undefined);
}
