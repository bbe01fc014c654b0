/**
 * Ends of names that are known inside private networks only: RFC 6762, 3 and appendix G; RFC 8375;
 * ICANN's resolution 2024.07.29.06 on `internal`, under which clouds have their metadata services.
 */
const SUFFIXES = [
  'corp',
  'home',
  'home.arpa',
  'internal',
  'intranet',
  'lan',
  'local',
  'localdomain',
  'private',
];

/**
 * Whether a name means something inside a private network only, whatever it stands for there. A name
 * without a dot does: no such name is in public DNS (RFC 7085, 1; ICANN's resolution 2013.08.13.NG02).
 * @param name in lower case, without a dot at its end
 */
export function isPrivateName(name: string): boolean {
  return !name.includes('.') || SUFFIXES.some((suffix) => name.endsWith(`.${suffix}`));
}
