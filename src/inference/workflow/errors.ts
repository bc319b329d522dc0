import { StudioError } from '../../studio/errors/base.js';

/** The file is not a graph we can run; every fault is listed, with the node it lies in. */
export class WorkflowInvalid extends StudioError {
  constructor(
    readonly workflow: string,
    readonly faults: readonly string[],
  ) {
    const list = faults.map((fault) => `  ${fault}`).join('\n');
    super('WORKFLOW_INVALID', 'workflow.invalid', 'never', `${workflow} cannot run:\n${list}`, {
      params: { workflow, list },
    });
  }
}
