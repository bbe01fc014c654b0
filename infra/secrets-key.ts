import { Tags } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { FerryKey, type FerryKeyProps } from './ferry-key.ts';

const TAG = { name: 'ferry:secrets', value: 'open' } as const;

/**
 * The key that wraps the data keys of sealed secrets. Whatever other policies allow, only roles with a
 * tag of ours can open anything: also the account's administrators would have to take that step first,
 * and CloudTrail would tell of it.
 */
export class SecretsKey extends FerryKey {
  constructor(scope: Construct, id: string, props: FerryKeyProps) {
    super(scope, id, props);
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'OpenedByFerryAlone',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        // Wrapping a data key anew could bind it to somebody else.
        actions: ['kms:Decrypt', 'kms:ReEncryptFrom'],
        resources: ['*'],
        conditions: { StringNotEquals: { [`aws:PrincipalTag/${TAG.name}`]: TAG.value } },
      }),
    );
  }

  /** Marks the role of a function as one that may open secrets, where its own policy allows that. */
  letOpen(opener: Construct): void {
    Tags.of(opener).add(TAG.name, TAG.value, { includeResourceTypes: ['AWS::IAM::Role'] });
  }
}
