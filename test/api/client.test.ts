import { expect, test } from 'vitest';
import { getV1RunsById, postV1Runs, postV1RunsByIdDecisions } from '../../client/steadyhand.ts';
import { apiPlace } from './place.ts';

const place = apiPlace();
const asked = { runbook: 'rehearsal', database: 'orders', input: { word: 'hello' } };

test('the generated client asks for a run, looks at it, and gets problems with their code', async () => {
  const api = await place.begin();
  const baseUrl = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const as = async (person: string): Promise<{ baseUrl: string; headers: Record<string, string> }> => {
    const authorization = `Bearer ${await api.tokenOf(person)}`;
    return { baseUrl, headers: { authorization } };
  };
  const ada = await as('ada');
  const made = await postV1Runs('OPS-1', asked, ada);
  if (made.status !== 202) throw new Error(`refused with ${made.status}`);
  expect(api.temporal.started).toEqual([made.data.run]);
  const found = await getV1RunsById(made.data.id, ada);
  expect(found).toMatchObject({ status: 200, data: { run: made.data.run, requester: 'ada' } });

  expect(await postV1Runs('OPS-1', { ...asked, input: { word: 'other' } }, ada)).toMatchObject({
    status: 422,
    data: { code: 'idempotency-key-reused' },
  });
  expect(await postV1Runs('OPS-2', asked, await as('mallory'))).toMatchObject({ status: 403, data: { code: 'forbidden' } });
  const answer = { approval: 'agree-first', opening: 1, digest: 'd'.repeat(64), choice: 'reject' } as const;
  expect(await postV1RunsByIdDecisions(made.data.id, answer, ada)).toMatchObject({ status: 422, data: { code: 'input-invalid' } });
});
