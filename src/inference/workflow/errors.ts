import { StudioError } from '../../studio/errors/base.js';

/** What is wrong with a graph: in English for logs, and as a message to translate. */
export interface GraphFault {
  readonly text: string;
  readonly key: string;
  readonly params: Readonly<Record<string, string | number>>;
}

/** @param name of `workflow.fault` in the messages. */
export function graphFault(
  name: string,
  text: string,
  params: Readonly<Record<string, string | number>> = {},
): GraphFault {
  return { text, key: `workflow.fault.${name}`, params };
}

/** The file is not a graph we can run; every fault is listed, with the node it lies in. */
export class WorkflowInvalid extends StudioError {
  readonly faults: readonly string[];

  constructor(
    readonly workflow: string,
    readonly details: readonly GraphFault[],
  ) {
    const faults = details.map(({ text }) => text);
    const list = faults.map((fault) => `  ${fault}`).join('\n');
    super('WORKFLOW_INVALID', 'workflow.invalid', 'never', `${workflow} cannot run:\n${list}`, {
      params: { workflow, list },
    });
    this.faults = faults;
  }
}
