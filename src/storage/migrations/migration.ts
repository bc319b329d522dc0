/** The SQL that a step is written in. */
export type DialectName = 'sqlite' | 'postgres';

/** One step of the schema; its name orders it and is remembered in the database. */
export interface Migration {
  readonly name: string;
  /**
   * Statements in order. They run in one transaction with everything before them; a long step
   * `inSteps` commits each by itself, so each must be harmless when it is repeated.
   */
  readonly statements: (dialect: DialectName) => readonly string[];
  readonly inSteps?: true;
}
