/** How a server is reached. */
export interface Line {
  /** Of loopback. */
  readonly port: number;
  /** Of an HTTP proxy on loopback that leads to the server. */
  readonly proxyPort: number;
}

/** How rclone reaches a server. */
export interface RcloneRemote {
  /** Of its configuration, in capitals and without their prefix. */
  readonly options: Readonly<Record<string, string>>;
  /** What it finds in its environment beside them. */
  readonly environment?: Readonly<Record<string, string>>;
  /** In front of every path. */
  readonly root: string;
}

/** A destination server, for both tools. */
export interface Place {
  readonly type: string;
  readonly server: string;
  /** Where it listens itself. */
  readonly address: { readonly host: string; readonly port: number };
  /** Whether a tool cannot reach it but through a proxy, so that both go over a wire without delay. */
  readonly needsProxy?: boolean;
  /** What the Ferry user writes into the row, to deliver into a folder. */
  settings(line: Line, folder: string): Readonly<Record<string, unknown>>;
  /** What Ferry's process finds in its environment beside its own. */
  readonly environment?: Readonly<Record<string, string>>;
  rclone(line: Line): RcloneRemote;
  /** Stores so many bytes as simply as the server takes them: one connection, nothing checked. */
  push(line: Line, path: string, bytes: number): Promise<void>;
  sizeOf(path: string): Promise<number | undefined>;
  /** Takes a file away, or what was begun of it. */
  remove(path: string): Promise<void>;
  stop(): Promise<void>;
}
