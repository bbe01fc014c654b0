/** One S3 server on loopback, as tests see it. */
export interface S3Server {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** The only region that the server accepts signatures for. */
  readonly region: string;
  createBucket(name: string): Promise<void>;
  stop(): Promise<void>;
}
