import type { CommanderError } from 'commander';
import { WrongUse } from './errors.js';
import type { Translate } from './messages.js';

type Pattern = readonly [key: string, pattern: RegExp];

/** What commander says (its tests fix the words), and the message of ours that says the same. */
const complaints: readonly Pattern[] = [
  ['unknownOption', /unknown option '(?<what>[^']*)'/],
  ['unknownCommand', /unknown command '(?<what>[^']*)'/],
  ['missingArgument', /missing required argument '(?<what>[^']*)'/],
  ['missingOption', /required option '(?<what>.*?)' not specified/],
  ['missingValue', /option '(?<what>.*?)' argument missing/],
  ['tooMany', /too many arguments.* Expected (?<expected>\d+) .*but got (?<got>\d+)/],
  ['conflict', /option '(?<what>.*?)' cannot be used with option '(?<other>.*?)'/],
  ['invalidOption', /option '(?<what>.*?)' argument '(?<value>.*?)' is invalid\./s],
  ['invalidArgument', /value '(?<value>.*?)' is invalid for argument '(?<what>.*?)'\./s],
];

/** What would have been right: our own option parsers', and commander's for choices. */
const expectations: readonly Pattern[] = [
  ['wholeNumber', /a whole number from (?<min>\S+) to (?<max>\S+), such as (?<example>\S+)\.$/],
  ['number', /a number from (?<min>\S+) to (?<max>\S+), such as (?<example>\S+)\.$/],
  ['date', /a date such as (?<example>\S+)\.$/],
  ['names', /Expected names separated by commas\.$/],
  ['oneOf', /Expected one of:? (?<list>.+?)\.(?: Others: .*)?$/],
  ['oneOf', /Allowed choices are (?<list>.+)\.$/],
];

const suggestion: Pattern = ['suggestion', /\(Did you mean (?:one of )?(?<what>.+)\?\)/];

/**
 * A wrong command line in the reader's language: what is wrong, what would be right, where to read
 * more. Words of commander that we do not know stay as they are.
 */
export function translateWrongUse({ message }: CommanderError, t: Translate): WrongUse {
  const said = message.replace(/^error: /, '');
  const parts = [complaints, expectations, [suggestion]].map((known) => find(known, said, t));
  const known = parts.filter((part) => part !== undefined);
  const detail = parts[0] === undefined ? said : known.join(t('cli.use.between'));
  return new WrongUse(detail, 'cli.use.all', { detail });
}

function find(patterns: readonly Pattern[], said: string, t: Translate): string | undefined {
  for (const [key, pattern] of patterns) {
    const match = pattern.exec(said);
    if (match) return t(`cli.use.${key}`, match.groups);
  }
  return undefined;
}
