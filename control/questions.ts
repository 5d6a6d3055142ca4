import { quorumText, stillNeeded } from '../domain/approval.ts';
import type { AnsweredQuestion } from '../domain/answer.ts';
import { changeParameters } from './change-run.ts';
import type { AnswerContext, ClosableQuestion, DecisionRow, OpenQuestion, Questions } from './contract.ts';
import { asJson, type Db } from './db.ts';
import type { EventKind } from './event-kinds.ts';
import { engine, eventText, tellingJson, told } from './event-text.ts';

export const questionColumns =
  'run, approval, opening, kind, digest, choices, quorum, deadline, failure, requester, "openedAt", agreements, chain';
export const decisionColumns = 'id, run, approval, opening, digest, choice, person, groups, channel, reason, "at", counts, because, kind';

const byKey = 'FROM steadyhand.question_rows WHERE run = $1 AND approval = $2 AND opening = $3';

const withQuestionQuery = `
  SELECT to_json(d) AS decision, (SELECT to_json(q) FROM (SELECT ${questionColumns}, answer FROM steadyhand.question_rows
    WHERE run = d.run AND approval = d.approval AND opening = d.opening) q) AS question
  FROM (SELECT ${decisionColumns} FROM steadyhand.decision_rows WHERE id = $1) d`;

const closeQuery = 'SELECT steadyhand.close_question($1, $2, $3, $4, $5), steadyhand.change_run($1, $6, $7, $8, $9)';

/** As the database has it: null for no deadline. */
export type StoredQuestion = Omit<OpenQuestion, 'deadline'> & { deadline: string | null };

type StoredContext = Omit<AnswerContext, 'question'> & {
  question: (Omit<AnsweredQuestion, 'deadline'> & { deadline: string | null }) | null;
};

type Judged = Awaited<ReturnType<Questions['judge']>>;

type StoredClosable = StoredQuestion & { readonly answer: string | null };

export function createQuestions(db: Db): Questions {
  return {
    open: async (question) => {
      const { run, approval, opening, kind, digest, choices, quorum, deadline, failure, chain = [] } = question;
      const data = { approval, opening, kind, digest, choices, quorum, deadline: deadline ?? null, failure: failure ?? null, chain };
      await db.query('SELECT steadyhand.open_question($1, $2)', [tellingJson(question), eventText(engine, data)]);
      return asOpen(await db.one<StoredQuestion>(`SELECT ${questionColumns} ${byKey}`, [run, approval, opening]));
    },
    find: async (run, approval, opening) => {
      const [row] = await db.query<StoredClosable>(`SELECT ${questionColumns}, answer ${byKey}`, [run, approval, opening]);
      return row === undefined ? null : asClosable(row);
    },
    answerContext: async (runOrId, approval, opening) => {
      const values = [runOrId, approval, opening];
      const { found } = await db.one<{ found: StoredContext | null }>('SELECT steadyhand.answer_context($1, $2, $3) AS found', values);
      return found && { ...found, question: found.question && withoutNoDeadline(found.question) };
    },
    nudge: async ({ run, approval, opening, deadline, chain, quorum, agreements }, place) => {
      const holds = chain[place]?.quorum;
      const missing = quorumText(stillNeeded(holds ?? quorum, agreements));
      const data = { approval, opening, deadline: deadline ?? null, stillNeeded: missing, ...(holds ? { quorum: holds } : {}) };
      const kind: EventKind = holds ? 'approval.escalated' : 'approval.reminded';
      const values = [run, approval, opening, place, kind, eventText(engine, data)];
      await db.query('SELECT steadyhand.nudge_question($1, $2, $3, $4, $5, $6)', values);
    },
    close: async ({ run, approval, opening }, answer, change = {}) => {
      const text = eventText(engine, { approval, opening, answer });
      await db.query(closeQuery, [run, approval, opening, answer, text, ...changeParameters(change)]);
    },
    decide: async (decision) => {
      const { rejected, ...given } = decision;
      const { id, approval, opening, digest, choice, person, kind = 'person', groups, channel, reason } = given;
      const data = { decision: id, approval, opening, digest, choice, groups, reason: reason ?? null };
      const { made } = await db.one<{ made: DecisionRow }>('SELECT steadyhand.decide($1, $2, $3) AS made', [
        tellingJson({ ...given, kind }),
        eventText({ kind, name: person, channel }, data),
        rejected === undefined ? null : rejection(id, rejected),
      ]);
      return made;
    },
    decision: async (id) =>
      (await db.query<DecisionRow>(`SELECT ${decisionColumns} FROM steadyhand.decision_rows WHERE id = $1`, [id]))[0] ?? null,
    withQuestion: async (id) => {
      const [row] = await db.query<{ decision: DecisionRow; question: StoredClosable | null }>(withQuestionQuery, [id]);
      return row === undefined ? null : { decision: row.decision, question: row.question && asClosable(row.question) };
    },
    judge: async (id, { counts, because }) => {
      const values = [id, counts, told(because), eventText(engine, { decision: id, counts, because })];
      return (await db.one<{ judged: Judged }>('SELECT steadyhand.judge($1, $2, $3, $4) AS judged', values)).judged;
    },
    delivered: async (id) => {
      await db.query('UPDATE steadyhand.decisions SET delivered_at = now() WHERE id = $1 AND delivered_at IS NULL', [id]);
    },
    undelivered: (olderThanMs) =>
      db.query<DecisionRow>(
        `SELECT ${decisionColumns} FROM steadyhand.decision_rows JOIN steadyhand.undelivered($1) id USING (id) ORDER BY "at", id`,
        [olderThanMs],
      ),
  };
}

/** A judgement that the API made itself, with its event. */
function rejection(decision: string, because: string): string {
  return asJson({ because: told(because), event: eventText(engine, { decision, counts: false, because }) });
}

function asClosable({ answer, ...question }: StoredClosable): ClosableQuestion {
  return { ...asOpen(question), answer };
}

export function asOpen(question: StoredQuestion): OpenQuestion {
  return withoutNoDeadline(question);
}

/** A question without a deadline has no such field, as in the domain. */
function withoutNoDeadline<Asked extends { readonly deadline: string | null }>({
  deadline,
  ...question
}: Asked): Omit<Asked, 'deadline'> & { readonly deadline?: string } {
  return deadline === null ? question : { ...question, deadline };
}
