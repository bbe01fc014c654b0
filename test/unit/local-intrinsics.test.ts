import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SynthesisedStack } from '../../local/cloud-assembly.ts';
import { createIntrinsics } from '../../local/intrinsics.ts';
import { attributeOf } from '../../local/local-names.ts';

const state: SynthesisedStack = {
  name: 'Ferry-dev-State',
  template: {
    Resources: {
      Settings: { Type: 'AWS::DynamoDB::Table', Properties: {}, Metadata: {} },
      Staging: { Type: 'AWS::S3::Bucket', Properties: {}, Metadata: {} },
      Topic: { Type: 'AWS::SNS::Topic', Properties: {}, Metadata: {} },
      Key: { Type: 'AWS::KMS::Key', Properties: {}, Metadata: {} },
    },
    Outputs: {
      Published: { Value: { Ref: 'Settings' } },
      Exported: { Value: { 'Fn::GetAtt': ['Settings', 'Arn'] }, Export: { Name: 'state:arn' } },
    },
  },
};
const pipeline: SynthesisedStack = {
  name: 'Ferry-dev-Pipeline',
  template: {
    Resources: { Jobs: { Type: 'AWS::SQS::Queue', Properties: {}, Metadata: {} } },
    Outputs: {},
  },
};
const { evaluate } = createIntrinsics(
  [state, pipeline],
  { 'AWS::Region': 'us-east-1', 'AWS::AccountId': '000000000000' },
  attributeOf('http://127.0.0.1:9'),
);

describe('intrinsic functions in a template', () => {
  it.each([
    ['Ref of a table is its name', { Ref: 'Settings' }, 'Ferry-dev-State-Settings'],
    ['Ref of a bucket is a name that S3 takes', { Ref: 'Staging' }, 'ferry-dev-state-staging'],
    ['Ref of a pseudo parameter is its value', { Ref: 'AWS::Region' }, 'us-east-1'],
    ['Ref of the stack name is the name of this stack', { Ref: 'AWS::StackName' }, state.name],
    [
      'Fn::GetAtt takes a list',
      { 'Fn::GetAtt': ['Staging', 'Arn'] },
      'arn:aws:s3:::ferry-dev-state-staging',
    ],
    [
      'Fn::GetAtt takes a text',
      { 'Fn::GetAtt': 'Staging.Arn' },
      'arn:aws:s3:::ferry-dev-state-staging',
    ],
    [
      'Fn::Join joins what it evaluates',
      { 'Fn::Join': ['/', ['a', { Ref: 'AWS::Region' }]] },
      'a/us-east-1',
    ],
    [
      'Fn::Sub fills in names, attributes and its own variables, and leaves literals',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own syntax
      { 'Fn::Sub': ['${AWS::Region} ${Settings} ${Staging.Arn} ${own} ${!left}', { own: 'x' }] },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: CloudFormation's own syntax
      'us-east-1 Ferry-dev-State-Settings arn:aws:s3:::ferry-dev-state-staging x ${left}',
    ],
    [
      'Fn::Select and Fn::Split work together',
      { 'Fn::Select': [1, { 'Fn::Split': ['-', 'a-b'] }] },
      'b',
    ],
  ])('%s', (_, value, expected) => {
    expect(evaluate(value, state)).toBe(expected);
  });

  it.each([
    ['Fn::ImportValue', { 'Fn::ImportValue': 'state:arn' }, /:table\/Ferry-dev-State-Settings$/],
    [
      'Fn::GetStackOutput',
      { 'Fn::GetStackOutput': { StackName: 'Ferry-dev-State', OutputName: 'Published' } },
      /^Ferry-dev-State-Settings$/,
    ],
  ])('%s reads the output of another stack', (_, value, expected) => {
    expect(evaluate(value, pipeline)).toMatch(expected);
  });

  it('AWS::NoValue takes its property away', () => {
    expect(
      evaluate({ a: { Ref: 'AWS::NoValue' }, b: [{ Ref: 'AWS::NoValue' }, 1] }, state),
    ).toEqual({
      b: [1],
    });
  });

  it.each([
    ['a function that is not known', { 'Fn::Transform': {} }, 'Fn::Transform'],
    ['a resource that nothing stands for', { Ref: 'Topic' }, 'Ref of Topic'],
    [
      'an attribute that nothing stands for',
      { 'Fn::GetAtt': ['Topic', 'TopicArn'] },
      'Fn::GetAtt Topic.TopicArn',
    ],
    ['an export that no stack has', { 'Fn::ImportValue': 'nothing' }, 'nothing'],
  ])('%s is an error that names it', (_, value, named) => {
    expect(() => evaluate(value, state)).toThrow(named);
  });

  it('values without intrinsic functions stay as they are', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value);
        fc.pre(!text.includes('"Ref"') && !text.includes('"Condition"') && !text.includes('"Fn::'));
        fc.pre(!text.includes('__proto__'));
        expect(evaluate(value, state)).toEqual(value);
      }),
    );
  });
});
