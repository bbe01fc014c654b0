import { App } from 'aws-cdk-lib';
import { addChecks } from './checks.ts';
import { buildFerry } from './ferry.ts';
import { findStage } from './stages.ts';

/** The CDK app: `cdk deploy --all -c stage=prod`; without a stage it is `dev`. */
const app = new App();
buildFerry(app, findStage(app.node.tryGetContext('stage') ?? 'dev'));
addChecks(app);
