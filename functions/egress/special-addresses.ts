import { BlockList, isIP } from 'node:net';

/** A block of addresses that are not those of servers on the internet. */
export interface SpecialBlock {
  /** `<address>/<bits>` */
  readonly block: string;
  /** As the end of "… is at 10.0.0.5, …". */
  readonly what: string;
  /**
   * Servers of an operator's own stand here, so that a host name on the operator's list may lead
   * here. To all other blocks only a listed range leads.
   */
  readonly isSite?: true;
}

const PRIVATE = { what: 'an address of a private network', isSite: true } as const;
const DOCUMENTATION = { what: 'an address for use in documents' };
const LINK = { what: 'an address that only neighbours on one network line have' };
const INSIDE_OUT = { what: 'an IPv4 address inside an IPv6 address' };
const UNASSIGNED = { what: 'an address that no server on the internet has' };

/**
 * The special-purpose registries of IANA (iana.org/assignments/iana-ipv4-special-registry and
 * iana-ipv6-special-registry, RFC 6890) but for what they mark as reachable from everywhere, with
 * multicast, and what is not given out at all: of IPv6, all that is outside 2000::/3
 * (iana.org/assignments/ipv6-address-space). Blocks within others come first.
 *
 * IPv6 addresses that hold an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo) are refused as
 * such and not judged by what is inside: no server that users know has one, and how a network on the
 * way reads them is not known here.
 */
export const SPECIAL_BLOCKS: readonly SpecialBlock[] = [
  { block: '0.0.0.0/8', what: 'an address that stands for this machine (RFC 1122)' },
  { block: '10.0.0.0/8', ...PRIVATE },
  {
    block: '100.64.0.0/10',
    what: "an address inside a carrier's network (RFC 6598)",
    isSite: true,
  },
  { block: '127.0.0.0/8', what: 'an address of this machine itself (RFC 1122)' },
  { block: '169.254.0.0/16', ...LINK },
  // learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16
  { block: '168.63.129.16/32', what: "an address of a cloud's own services" },
  { block: '172.16.0.0/12', ...PRIVATE },
  { block: '192.0.0.0/24', what: 'an address for protocols of the IETF (RFC 6890)' },
  { block: '192.0.2.0/24', ...DOCUMENTATION },
  { block: '192.88.99.0/24', what: 'an address of the former 6to4 relays (RFC 7526)' },
  { block: '192.168.0.0/16', ...PRIVATE },
  { block: '198.18.0.0/15', what: 'an address for measurements (RFC 2544)' },
  { block: '198.51.100.0/24', ...DOCUMENTATION },
  { block: '203.0.113.0/24', ...DOCUMENTATION },
  { block: '224.0.0.0/4', what: 'an address of many machines at once (RFC 5771)' },
  { block: '240.0.0.0/4', ...UNASSIGNED },
  { block: '::/128', what: 'an address that stands for this machine (RFC 4291)' },
  { block: '::1/128', what: 'an address of this machine itself (RFC 4291)' },
  { block: '::/96', ...INSIDE_OUT },
  { block: '::ffff:0:0/96', ...INSIDE_OUT },
  { block: '64:ff9b::/96', ...INSIDE_OUT },
  { block: '64:ff9b:1::/48', ...INSIDE_OUT },
  { block: '100::/64', what: 'an address behind which everything is dropped (RFC 6666)' },
  { block: '2001::/32', ...INSIDE_OUT },
  { block: '2001::/23', what: 'an address for protocols of the IETF (RFC 2928)' },
  { block: '2001:db8::/32', ...DOCUMENTATION },
  { block: '2002::/16', ...INSIDE_OUT },
  { block: '3fff::/20', ...DOCUMENTATION },
  { block: '5f00::/16', what: 'an address for the routing of segments (RFC 9602)' },
  // docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
  { block: 'fd00:ec2::/32', what: "an address of a cloud's own services" },
  { block: 'fc00::/7', ...PRIVATE },
  { block: 'fe80::/10', ...LINK },
  { block: 'fec0::/10', what: 'an address of a private network (RFC 3879)' },
  { block: 'ff00::/8', what: 'an address of many machines at once (RFC 4291)' },
  { block: '::/3', ...UNASSIGNED },
  { block: '4000::/2', ...UNASSIGNED },
  { block: '8000::/1', ...UNASSIGNED },
];

const blocks = SPECIAL_BLOCKS.map((special) => {
  const [address = '', bits] = special.block.split('/');
  return { special, contains: rangeOf(address, Number(bits)) };
});

/**
 * The block that an address is in; undefined for one of the internet. With a zone (RFC 4007, 11) it
 * means something on this machine's own network line alone.
 */
export function specialBlockOf(address: string): SpecialBlock | undefined {
  const [bare = '', zone] = address.split('%');
  const found = blocks.find(({ contains }) => contains(bare))?.special;
  return found ?? (zone === undefined ? undefined : { block: address, ...LINK });
}

/** Whether addresses are in a range. One kind of IP is never in a range of the other, mapped or not. */
export function rangeOf(network: string, bits: number): (address: string) => boolean {
  const kind = isIP(network) === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  list.addSubnet(network, bits, kind);
  // Asked for the kind, it takes an address of the other for none at all.
  return (address) => list.check(address, kind);
}
