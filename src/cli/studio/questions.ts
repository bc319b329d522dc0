import { randomUUID } from 'node:crypto';
import { type ExitCode, exitCodes } from '../exit-codes.js';
import type { GlobalOptions } from '../open-shell.js';
import { time, withOffice } from './open-office.js';

/** `huancai operator questions`. @returns someFailed while somebody waits for an answer. */
export function showQuestions(options: GlobalOptions & { limit: number }): Promise<ExitCode> {
  return withOffice(options, async ({ office, shell: { output, t } }) => {
    const questions = await office.questions(options.limit);
    for (const question of questions) {
      output.record({ type: 'question', ...question });
      const { createdMs, customerCode, subject, orderId, text } = question;
      const about = t(`office.questions.subject.${subject}`);
      output.line([time(createdMs), customerCode, about, orderId].filter(Boolean).join('  '));
      output.line(`  ${text.replace(/\s*\n\s*/g, '\n  ')}`);
    }
    const key = questions.length === 0 ? 'none' : 'some';
    output.line(t(`office.questions.${key}`, { count: questions.length }));
    return questions.length === 0 ? exitCodes.done : exitCodes.someFailed;
  });
}

/** `huancai operator answer`. */
export function answerQuestion(
  customer: string,
  words: readonly string[],
  options: GlobalOptions,
): Promise<ExitCode> {
  return withOffice(options, async ({ office, by, shell: { output, t } }) => {
    await office.answer(by, customer, words.join(' '), `cli:${randomUUID()}`);
    output.record({ type: 'answered', customer });
    output.line(t('office.questions.answered', { customer }));
    return exitCodes.done;
  });
}
