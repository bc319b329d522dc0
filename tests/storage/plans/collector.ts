import type {
  CompiledQuery,
  Kysely,
  KyselyPlugin,
  PluginTransformQueryArgs,
  PluginTransformResultArgs,
  RootOperationNode,
} from 'kysely';

/** A statement that the product ran. */
export interface Ran {
  /** `table.method` that ran it. */
  readonly by: string;
  readonly query: CompiledQuery;
}

/** Writes down every statement that passes, with its values. */
export class Collector implements KyselyPlugin {
  readonly statements: Ran[] = [];
  /** Whose statements come now. */
  by = '';

  constructor(private readonly raw: Kysely<unknown>) {}

  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    const query = this.raw.getExecutor().compileQuery(node, queryId);
    const known = this.statements.some((one) => one.by === this.by && one.query.sql === query.sql);
    if (!known) this.statements.push({ by: this.by, query });
    return node;
  }

  async transformResult({ result }: PluginTransformResultArgs) {
    return result;
  }
}
