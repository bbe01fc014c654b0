/** A bug that the simulation has to find. */
export interface Plant {
  readonly name: string;
  /** What the code then does. */
  readonly what: string;
  /** From the repository's root. */
  readonly file: string;
  /** Where to begin to look, if few worlds show it and the first ones do not. */
  readonly seed?: number;
  /** What stands there once, and what takes its place. */
  readonly changes: readonly (readonly [find: string, replace: string])[];
}

const TRANSFER = 'functions/transfer/transfer.ts';
const DELIVER = 'functions/transfer/deliver-archives.ts';
const RUN = 'functions/transfer/run-job.ts';
const END = 'functions/transfer/end-job.ts';
const FENCED = 'functions/runs/fenced-items.ts';

/** Mistakes in the order of effects, in fencing, in verifying, in cleaning up and in telling people. */
export const plants: readonly Plant[] = [
  {
    name: 'row-moved-first',
    what: "a tick moves a user's row on before the jobs are on the queue",
    file: 'functions/enqueue-due/enqueue-page.ts',
    changes: [
      [
        'const unsent = await queue.send(jobs);',
        `await Promise.all(
          runs.map((run) => attempt(tools, tick, run.user.id, () => moveOn(tools, tick, run))),
        );
        const unsent = await queue.send(jobs);`,
      ],
    ],
  },
  {
    name: 'acknowledged-first',
    what: 'a message is acknowledged before its job is done',
    file: 'functions/transfer/answer-messages.ts',
    changes: [
      [
        'const result = await tools.runJob(tools.readMessage(message.body), message);',
        `tools.runJob(tools.readMessage(message.body), message).catch(() => undefined);
        const result = { outcome: 'continued' };`,
      ],
    ],
  },
  {
    name: 'receipt-first',
    what: 'a receipt is written while the file is still being published',
    file: TRANSFER,
    changes: [
      [
        'const proof = await upload.finish(digest, signal);',
        `upload.finish(digest, signal).catch(() => undefined);
        const proof = { verified: 'readback', how: 'hope', remotePath: '?', size: digest.size };`,
      ],
    ],
  },
  {
    name: 'checkpoint-removed-first',
    what: 'a checkpoint is removed before the receipt is written',
    file: 'functions/transfer/deliver-archive.ts',
    changes: [
      ['await runs.removeCheckpoint(lease, archive);\n', ''],
      [
        'await runs.saveReceipt(lease, {',
        'await runs.removeCheckpoint(lease, archive);\n  await runs.saveReceipt(lease, {',
      ],
    ],
  },
  {
    name: 'lease-not-looked-at',
    what: 'the lease is not looked at once more before a file is published',
    file: TRANSFER,
    changes: [['await runs.assertHeld(lease);', '']],
  },
  {
    name: 'lease-too-short',
    what: 'a lease ends before its worker does',
    file: RUN,
    changes: [
      [
        'clock.now() + clock.remaining() + CLOCK_SKEW_MS',
        'clock.now() + Math.floor(clock.remaining() / 4)',
      ],
    ],
  },
  {
    name: 'no-fence',
    what: 'writes to the runs table are not conditional on the fence',
    file: FENCED,
    changes: [
      [
        "'attribute_not_exists(fence) OR fence < :fence ' +",
        "'attribute_not_exists(nothing) OR fence < :fence ' +",
      ],
    ],
  },
  {
    name: 'lease-kept',
    what: 'a lease is not given back',
    file: RUN,
    changes: [['await runs\n      .release(lease)', 'await Promise.resolve()']],
  },
  {
    name: 'not-as-staged',
    what: "what was read is not compared with the staging bucket's checksum",
    file: TRANSFER,
    changes: [['if (digest) assertAsStaged(archive, digest);', '']],
  },
  {
    name: 'held-trusted',
    what: 'what an earlier process sent is not compared with what staging holds',
    file: 'functions/transfer/books.ts',
    changes: [['if (parts === saved.parts && read !== saved.crc32) throw readOtherwise();', '']],
  },
  {
    name: 'read-unpinned',
    what: 'an archive is read without a condition on its version and ETag',
    file: 'functions/source/ranged-read.ts',
    seed: 3000,
    changes: [
      ['VersionId: archive.versionId,\n    IfMatch: archive.etag,', ''],
      [
        // biome-ignore lint/suspicious/noTemplateCurlyInString: this is code.
        'if (ContentRange === `bytes ${from}-${to - 1}/${archive.size}` && ETag === archive.etag) {',
        'if (ContentRange !== undefined || ETag !== undefined) {',
      ],
    ],
  },
  {
    name: 'receipt-ignored',
    what: 'what has a receipt is sent again',
    file: DELIVER,
    changes: [['if (deliveredBy !== undefined) continue;', '']],
  },
  {
    name: 'nothing-taken-back',
    what: 'an upload that is given up or begun anew is not aborted',
    file: TRANSFER,
    changes: [['if (upload) await within(patienceMs, upload.abort(), clock);', '']],
  },
  {
    name: 'left-over-kept',
    what: 'uploads of archives that are not staged any more are left alone',
    file: DELIVER,
    changes: [['await takeBackLeftovers(transfer, progress.errors);', '']],
  },
  {
    name: 'begun-unnoted',
    what: 'an upload is begun before anything is noted of it',
    file: 'functions/transfer/checkpoint-keeper.ts',
    changes: [
      [
        'const saved = await runs.beginCheckpoint(lease, beginning);',
        'const saved = await runs.checkpoint(lease, archive);',
      ],
    ],
  },
  {
    name: 'never-is-later',
    what: 'what was refused for good is tried again later',
    file: DELIVER,
    changes: [
      [
        "else if (retry === 'never') progress.errors.push({ code, message, archive, ...own });",
        "else if (retry === 'never' && scope === 'archive') progress.errors.push({ code, message, archive, ...own });",
      ],
    ],
  },
  {
    name: 'told-last',
    what: 'a job is recorded as ended before the user is told',
    file: END,
    changes: [
      ['await tools.report(job.userId, job.destination, report);', ''],
      [
        'await tools.runs.saveJob(job, ended);',
        `await tools.runs.saveJob(job, ended);
        await tools.report(job.userId, job.destination, report);`,
      ],
    ],
  },
  {
    name: 'late-run-told',
    what: 'a run that ends late takes the place of a later one in the row',
    file: 'functions/settings/last-run.ts',
    changes: [['#s.#d.#n.lastRun.slot <= :slot ', ':slot <= :slot ']],
  },
  {
    name: 'last-delivery-missed',
    what: 'a job whose message comes for the last time is not ended',
    file: END,
    changes: [
      [
        'if (delivery.receiveCount >= delivery.maxReceiveCount) {',
        'if (delivery.receiveCount > delivery.maxReceiveCount) {',
      ],
    ],
  },
  {
    name: 'due-overwritten',
    what: 'whoever plans a run overwrites what another has planned meanwhile',
    file: 'functions/settings/verdict-change.ts',
    changes: [["seen ? '#at = :seen' : 'attribute_not_exists(#at)',", "'attribute_exists(#id)',"]],
  },
];
