import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/closing-line.ts';
import { ConformanceTable } from './test/conformance-table.ts';

/** `unit` needs nothing but this checkout; `servers` starts real and embedded servers on loopback. */
export default defineConfig({
  test: {
    reporters: ['default', new ConformanceTable(), new ClosingLine()],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/unit/**/*.test.ts', 'test/infra/**/*.test.ts'],
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'servers',
          include: [
            'test/contract/**/*.test.ts',
            'test/end-to-end/**/*.test.ts',
            'test/simulation/**/*.test.ts',
          ],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
    ],
  },
});
