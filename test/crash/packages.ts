import { packages as clients } from '../end-to-end/clients.ts';
import { packages as apache } from '../servers/apache.ts';
import { packages as openssh } from '../servers/openssh.ts';
import { packages as swift } from '../servers/swift.ts';

/** Debian packages of the servers and clients. */
export const packages: readonly string[] = [...apache, ...clients, ...openssh, ...swift];
