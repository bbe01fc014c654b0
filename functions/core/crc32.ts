import { crc32 } from 'node:zlib';

/** CRC-32 (ISO-HDLC, as zlib and S3 use it) of bytes, as an unsigned 32-bit number. */
export function crc32Of(bytes: Uint8Array): number {
  return crc32(bytes);
}

/** The CRC's generator polynomial, bits reversed (ITU-T V.42, 8.1.1.6.2). */
const POLYNOMIAL = 0xedb88320;
/** The polynomials 1 and x^8 in the same reversed notation, where the highest bit is x^0. */
const ONE = 0x80000000;
const X8 = 0x00800000;

/** Product of two polynomials over GF(2), modulo the CRC's generator. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) product ^= shifted;
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product >>> 0;
}

/** x^(8·bytes) modulo the generator: what `bytes` further bytes do to a CRC. */
function shiftBy(bytes: number): number {
  let power = ONE;
  let square = X8;
  for (let left = bytes; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) power = multiply(power, square);
    square = multiply(square, square);
  }
  return power;
}

/**
 * The CRC-32 of two byte runs put together, from the CRC-32 of each: parts can be summed in any
 * process and combined afterwards.
 * @param laterLength bytes of the second run
 */
export function combineCrc32(earlier: number, later: number, laterLength: number): number {
  return (multiply(earlier, shiftBy(laterLength)) ^ later) >>> 0;
}
