import {
  type DynamoDBDocumentClient,
  paginateQuery,
  type QueryCommandInput,
} from '@aws-sdk/lib-dynamodb';
import { userKey } from './keys.ts';

/**
 * Items about one user whose sort key begins with `kind`, in its order.
 * @param reading how they are read, where not as DynamoDB does by itself
 */
export async function* itemsOf(
  client: DynamoDBDocumentClient,
  table: string,
  userId: string,
  kind: string,
  reading: Pick<QueryCommandInput, 'ConsistentRead' | 'ScanIndexForward'> = {},
): AsyncGenerator<Readonly<Record<string, unknown>>> {
  const pages = paginateQuery(
    { client },
    {
      TableName: table,
      KeyConditionExpression: 'pk = :user AND begins_with(sk, :kind)',
      ExpressionAttributeValues: { ':user': userKey(userId), ':kind': kind },
      ...reading,
    },
  );
  for await (const { Items = [] } of pages) yield* Items;
}
