/** What is particular about one vendor's S3, as data. */
export interface Provider {
  /** As its users know it. */
  readonly name: string;
  /** Hosts of its endpoints; the group `region`, where there is one, is the region to sign for. */
  readonly hosts: RegExp;
  /** The region to sign for where the host does not tell; undefined asks the server. */
  readonly region?: string | undefined;
  /** Where the server tells the region: a header of the bucket, or GetBucketLocation and its refusal. */
  readonly tellsRegionIn: 'header' | 'location';
  /** How many parts one upload may have. */
  readonly mostParts: number;
  /** The bucket as part of the path rather than of the host name. */
  readonly pathStyle: boolean;
  /**
   * - `crc32`: it compares a CRC-32 of each part and of the whole object with what arrived.
   * - `none`: it may refuse `x-amz-checksum-*`; the signed SHA-256 of each part is checked everywhere.
   */
  readonly checksums: 'crc32' | 'none';
  /**
   * Whether the ETag of a multipart object is the MD5 of its parts' MD5s, so that a difference means
   * damage. rclone 64ab1ac trusts it by provider: backend/s3/provider/*.yaml, `use_multipart_etag`.
   */
  readonly multipartEtag: 'md5-of-parts' | 'unknown';
  /** Known storage classes; undefined lets the server decide. */
  readonly storageClasses?: readonly string[] | undefined;
}

/** Limit that AWS states and most others share: docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MOST_PARTS = 10_000;

export const AWS: Provider = {
  name: 'Amazon S3',
  hosts:
    /^(?:.+\.)?s3(?:-fips)?(?:[.-](?:dualstack\.)?(?<region>[a-z]{2,}(?:-[a-z]+)+-\d+))?\.amazonaws\.com(?:\.cn)?$/,
  // docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html, `x-amz-bucket-region`.
  tellsRegionIn: 'header',
  mostParts: MOST_PARTS,
  pathStyle: false,
  checksums: 'crc32',
  multipartEtag: 'md5-of-parts',
  // docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html, x-amz-storage-class. Left out:
  // OUTPOSTS, SNOW and the FSX classes, which are not chosen for one object of a bucket.
  storageClasses: [
    'STANDARD',
    'STANDARD_IA',
    'ONEZONE_IA',
    'INTELLIGENT_TIERING',
    'GLACIER_IR',
    'GLACIER',
    'DEEP_ARCHIVE',
    'REDUCED_REDUNDANCY',
    'EXPRESS_ONEZONE',
  ],
};

/** Any server that no row of the table fits: MinIO, Ceph, Swift, Garage and the like. */
export const UNKNOWN: Provider = {
  name: 'an S3-compatible server',
  hosts: /^/,
  // As minio-go finds it, so that docker-volume-backup's users need no setting for it.
  tellsRegionIn: 'location',
  mostParts: MOST_PARTS,
  // rclone backend/s3/provider/Other.yaml and Minio.yaml: `force_path_style: true`.
  pathStyle: true,
  checksums: 'none',
  // rclone backend/s3/provider/Other.yaml: `use_multipart_etag: false`; Alibaba's differ from AWS's.
  multipartEtag: 'unknown',
};

const compatible = { ...UNKNOWN, multipartEtag: 'md5-of-parts' } as const;

/** Looked through from the first row; the last one fits every host. */
export const providers: readonly Provider[] = [
  AWS,
  {
    ...compatible,
    name: 'Scaleway',
    hosts: /^s3\.(?<region>[a-z]{2}-[a-z]{3})\.scw\.cloud$/,
    // rclone backend/s3/provider/Scaleway.yaml: `max_upload_parts: 1000`.
    mostParts: 1000,
  },
  {
    ...UNKNOWN,
    // Answers x-amz-checksum-* with 400 (iterate-ch/cyberduck#15841, home-assistant/core#143995).
    name: 'Backblaze B2',
    hosts: /^s3\.(?<region>[a-z]{2}-[a-z]+-\d{3})\.backblazeb2\.com$/,
  },
  {
    ...UNKNOWN,
    // Wants all parts but the last of one size (developers.cloudflare.com/r2/objects/multipart-objects),
    // which Ferry's always are. rclone Cloudflare.yaml: "multipart ETags are random".
    name: 'Cloudflare R2',
    hosts: /\.r2\.cloudflarestorage\.com$/,
    // developers.cloudflare.com/r2/api/s3/api: the region is `auto`.
    region: 'auto',
  },
  {
    ...compatible,
    // rclone backend/s3/provider/Wasabi.yaml: hosts, no quirk about ETags.
    name: 'Wasabi',
    hosts: /^s3(?:\.(?<region>[a-z]{2}-[a-z]+-\d))?\.wasabisys\.com$/,
    // The host without a region is that of us-east-1 (same file).
    region: 'us-east-1',
  },
  {
    ...UNKNOWN,
    // Keeps objects on IPFS; what its ETags are made of is not known, so they are not held against it.
    name: 'Filebase',
    hosts: /^s3\.filebase\.(?:com|io)$/,
    // What clients in public repositories sign for; not confirmed by the provider.
    region: 'us-east-1',
  },
  {
    ...compatible,
    // rclone backend/s3/provider/Hetzner.yaml: hosts, and no quirk about ETags. It runs Ceph.
    name: 'Hetzner',
    hosts: /^(?<region>[a-z]{3}\d)\.your-objectstorage\.com$/,
  },
  {
    ...compatible,
    // rclone backend/s3/provider/Minio.yaml: path style is its only quirk. Known by a host that says so.
    name: 'MinIO',
    hosts: /^(?:.+[.-])?minio\d*(?:[.-].+)?$|^play\.min\.io$/,
  },
  {
    ...compatible,
    // rclone backend/s3/provider/Ceph.yaml: path style; its other quirks are about listing, where
    // Ferry asks for what AWS has. Known by a host that says so.
    name: 'Ceph',
    hosts: /^(?:.+[.-])?(?:ceph|rgw|radosgw)\d*(?:[.-].+)?$/,
  },
  UNKNOWN,
];

/** Whose S3 answers at `host`, and the region to sign for where table or host tell it. */
export function findProvider(host: string): { provider: Provider; region: string | undefined } {
  for (const provider of providers) {
    const match = provider.hosts.exec(host);
    if (match) return { provider, region: match.groups?.region ?? provider.region };
  }
  return { provider: UNKNOWN, region: undefined };
}
