import { beforeEach, describe, expect, it } from 'vitest';
import type { Control } from '../../control/contract.ts';
import { anna, aRun, controlPlace, failureOf, kindsOf, newRequest } from './support.ts';

const place = controlPlace();
let control: Control;
beforeEach(async () => {
  ({ control } = await place.emptied(20));
});

describe('requests', () => {
  it('write request, run and event together', async () => {
    const { created, request } = await control.requests.create(newRequest({ ticket: 'OPS-7' }));
    expect(created).toBe(true);
    expect(request).toEqual({
      id: expect.any(String),
      run: request.run,
      runbook: 'migration-cutover',
      database: 'orders',
      input: { target: 'orders-18' },
      requester: 'anna',
      channel: 'cli',
      ticket: 'OPS-7',
      startedAt: null,
    });
    expect(await control.requests.find(request.id)).toEqual(request);
    expect(await control.runs.find(request.run)).toMatchObject({
      state: 'requested',
      outcome: null,
      risk: 'high',
      left: [],
      closedAt: null,
    });
    expect(await control.events.list({ limit: 9 })).toMatchObject([
      { run: request.run, kind: 'run.requested', actor: anna, data: { ticket: 'OPS-7' } },
    ]);
  });

  it('answer the same key and body with the first request', async () => {
    const first = newRequest();
    const { request } = await control.requests.create(first);
    const again = await control.requests.create(newRequest({ idempotencyKey: first.idempotencyKey }));
    expect(again).toEqual({ created: false, request });
    expect(await kindsOf(control)).toEqual(['run.requested']);
  });

  it('refuse the same key with another body', async () => {
    const first = newRequest();
    await control.requests.create(first);
    const other = newRequest({ idempotencyKey: first.idempotencyKey, bodyDigest: 'b'.repeat(64) });
    const failure = await failureOf('idempotency-key-reused', control.requests.create(other));
    expect(failure.facts).toEqual({ run: first.run });
    expect(await control.runs.find(other.run)).toBeNull();
  });

  it('keep the keys of two requesters apart', async () => {
    const first = newRequest();
    await control.requests.create(first);
    const other = newRequest({ idempotencyKey: first.idempotencyKey, requester: 'ben', bodyDigest: 'b'.repeat(64) });
    expect((await control.requests.create(other)).created).toBe(true);
  });

  it('make one run of 20 requests with one key at the same time', async () => {
    const { idempotencyKey } = newRequest();
    const all = await Promise.all(Array.from({ length: 20 }, () => control.requests.create(newRequest({ idempotencyKey }))));
    expect(all.filter((one) => one.created)).toHaveLength(1);
    expect(new Set(all.map((one) => one.request.run)).size).toBe(1);
    expect(await control.runs.list({ limit: 50 })).toHaveLength(1);
    expect(await kindsOf(control)).toEqual(['run.requested']);
  });

  it('refuse a workflow id that is taken, and one that is none', async () => {
    const run = await aRun(control);
    await failureOf('conflict', control.requests.create(newRequest({ run })));
    await failureOf('input-invalid', control.requests.create(newRequest({ run: 'nonsense' })));
  });

  it('name those whose workflow is not known to be started, oldest first', async () => {
    const [one, two, three] = [
      await control.requests.create(newRequest()),
      await control.requests.create(newRequest()),
      await control.requests.create(newRequest()),
    ];
    await control.requests.started(two.request.id);
    const at = (await control.requests.find(two.request.id))?.startedAt;
    expect(at).not.toBeNull();
    await control.requests.started(two.request.id);
    expect((await control.requests.find(two.request.id))?.startedAt).toBe(at);
    expect((await control.requests.unstarted(0)).map((request) => request.id)).toEqual([one.request.id, three.request.id]);
    expect(await control.requests.unstarted(60_000)).toEqual([]);
    await control.runs.close(one.request.run, { outcome: 'refused', free: true });
    expect((await control.requests.unstarted(0)).map((request) => request.id)).toEqual([three.request.id]);
    expect(await control.runs.open()).toEqual([two.request.run]);
  });

  it('that a person makes are rejected while a database of theirs is frozen, unless the key is known or break-glass is used', async () => {
    const known = newRequest({ others: ['orders-18'] });
    await control.requests.admit(known);
    const { id, text, until } = await control.freezes.on({ database: 'orders-18', reason: 'the closing', until: null, by: anna });
    const failure = await failureOf('frozen', control.requests.admit(newRequest({ others: ['orders-18'] })));
    expect(failure).toMatchObject({ message: text, facts: { freeze: id, person: 'anna', until } });
    const other = newRequest({ ...known, run: newRequest().run, bodyDigest: 'b'.repeat(64) });
    await failureOf('idempotency-key-reused', control.requests.admit(other));
    expect(await control.requests.admit({ ...known, run: newRequest().run })).toMatchObject({
      created: false,
      request: { run: known.run },
    });
    expect(await control.requests.admit(newRequest({ others: ['ledger'] }))).toMatchObject({ created: true });
    const urgent = newRequest({ others: ['orders-18'], breakGlass: 'orders is down' });
    expect(await control.requests.admit(urgent)).toMatchObject({ created: true });
    expect(await kindsOf(control, urgent.run)).toEqual(['run.requested', 'break-glass.used']);
  });

  it('that a person makes come with the other open runs on their databases', async () => {
    const there = newRequest({ database: 'orders-18' });
    await control.requests.create(there);
    await control.requests.create(newRequest({ database: 'ledger' }));
    const request = newRequest({ others: ['orders-18'] });
    const others = [{ run: there.run, state: 'requested', holds: false }];
    expect((await control.requests.admit(request)).others).toEqual(others);
    expect((await control.requests.admit({ ...request, run: newRequest().run })).others).toEqual(others);
  });

  it('count as not started only while their run is open', async () => {
    const { run } = (await control.requests.create(newRequest())).request;
    expect((await control.counts()).unstarted).toMatchObject({ count: 1 });
    // The API was killed before it wrote that it had started the run.
    await control.runs.close(run, { outcome: 'succeeded', free: true });
    expect((await control.counts()).unstarted).toMatchObject({ count: 0 });
  });
});
