import { Duration, type RemovalPolicy } from 'aws-cdk-lib';
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';

export interface FerryKeyProps {
  readonly description: string;
  readonly removalPolicy: RemovalPolicy;
}

/** A customer managed key that is rotated every year and can be handed on to AWS services only. */
export class FerryKey extends Key {
  constructor(scope: Construct, id: string, props: FerryKeyProps) {
    super(scope, id, {
      ...props,
      enableKeyRotation: true,
      pendingWindow: Duration.days(30),
    });
    this.addToResourcePolicy(
      new PolicyStatement({
        sid: 'GrantsForServicesOnly',
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['kms:CreateGrant'],
        resources: ['*'],
        conditions: {
          BoolIfExists: {
            'kms:GrantIsForAWSResource': 'false',
            'aws:PrincipalIsAWSService': 'false',
          },
        },
      }),
    );
  }
}
