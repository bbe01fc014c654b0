import { CfnGuardValidator } from '@cdklabs/cdk-validator-cfnguard';
import {
  type App,
  type IPolicyValidationContext,
  type IPolicyValidationPlugin,
  type PolicyValidationPluginReport,
  Validations,
} from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';

/**
 * Rules that every synthesis is held to; a finding fails it, unless a construct acknowledges it with
 * a reason. cdk-nag prints the exact id to acknowledge; for cfn-guard it is `GuardRules::<rule name>`.
 */
export function addChecks(app: App): void {
  Validations.of(app).addPlugins(
    new AwsSolutionsChecks(app),
    new ServerlessChecks(app),
    new GuardRules(),
  );
}

/** The AWS Control Tower proactive controls, run by cfn-guard over the templates. */
class GuardRules implements IPolicyValidationPlugin {
  readonly name = 'GuardRules';
  readonly #guard = new CfnGuardValidator();

  validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const report = this.#guard.validate(context);
    // The CDK counts a finding without severity as passed as soon as another one is acknowledged.
    const violations = report.violations.map((found) => ({ ...found, severity: 'error' }));
    return { ...report, violations };
  }
}
