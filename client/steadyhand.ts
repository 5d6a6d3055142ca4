/**
 * DO NOT MODIFY - This file has been generated using oazapfts.
 * See https://www.npmjs.com/package/oazapfts
 */
import * as Oazapfts from "@oazapfts/runtime";
import * as QS from "@oazapfts/runtime/query";
export const defaults: Oazapfts.Defaults<Oazapfts.CustomHeaders> = {
    headers: {},
    baseUrl: "/"
};
const oazapfts = Oazapfts.runtime(defaults);
export const servers = {};
export type Problem = {
    /** `/problems/<code>`: what this kind of problem means */
    "type": string;
    title: string;
    status: number;
    /** What is wrong here, and where */
    detail: string;
    code: string;
    /** What to do now */
    hint: string;
    retryable: boolean;
    /** Every field that is wrong */
    problems?: {
        path: string;
        message: string;
    }[];
    facts?: {
        [key: string]: unknown;
    };
    /** Id of this request in the log of the API */
    request?: string;
};
export type Plan = {
    runbook: string;
    version: number;
    database: string;
    input: {
        [key: string]: unknown;
    };
    steps: ({
        id: string;
        kind: "check" | "change" | "wait" | "approval";
        title: string;
        skippable?: boolean;
        pointOfNoReturn?: boolean;
        estimate: {
            seconds?: number;
            "from": "earlier-runs" | "size-and-rate" | "unknown";
        };
        applies: boolean;
        because: string;
    } | {
        id: string;
        kind: "check" | "change" | "wait" | "approval";
        title: string;
        skippable?: boolean;
        pointOfNoReturn?: boolean;
        estimate: {
            seconds?: number;
            "from": "earlier-runs" | "size-and-rate" | "unknown";
        };
        applies?: true;
        commands: {
            on: "source" | "target" | "live" | "restored" | "pooler" | "provider" | "worker";
            kind: "sql" | "pgbouncer" | "shell" | "file" | "api";
            text: string;
            /** The condition, when it is not always executed */
            when?: string;
        }[];
        undo?: {
            on: "source" | "target" | "live" | "restored" | "pooler" | "provider" | "worker";
            kind: "sql" | "pgbouncer" | "shell" | "file" | "api";
            text: string;
            /** The condition, when it is not always executed */
            when?: string;
        }[];
        noUndo?: string;
        limits?: {
            text: string;
        }[];
        bytes?: number;
        notes?: string[];
        holds?: {
            what: string;
            until?: string;
            atMostMs?: number;
        }[];
    })[];
    /** Psql variables of the commands: what each stands for */
    variables: {
        [key: string]: string;
    };
    facts: string;
    digest: string;
    /** The first step that the digest covers; all of them when it is absent */
    "from"?: string;
    /** ISO 8601, UTC */
    madeAt: string;
};
export type Run = {
    /** `<runbook>/<database>/<ULID>`: also the id of the workflow */
    run: string;
    runbook: string;
    database: string;
    state: "requested" | "planning" | "waiting" | "running" | "parked" | "rolling-back" | "closed";
    outcome: ("succeeded" | "refused" | "rolled-back" | "aborted" | "needs-attention") | null;
    because: string | null;
    /** What an undo could not take back, or an abort left */
    left: string[];
    requester: string;
    risk: "low" | "medium" | "high";
    ticket: string | null;
    input: {
        [key: string]: unknown;
    };
    /** ISO 8601, UTC */
    requestedAt: string;
    closedAt: string | null;
    /** Digest of the plan that is followed */
    plan: string | null;
    failure: {
        code: "input-invalid" | "body-invalid" | "body-too-large" | "media-type-unsupported" | "rate-limited" | "overloaded" | "unauthenticated" | "forbidden" | "scope-missing" | "not-found" | "conflict" | "too-many-answers" | "idempotency-key-reused" | "temporal-unavailable" | "search-attributes-missing" | "control-database-unavailable" | "query-too-slow" | "schema-outdated" | "configuration-invalid" | "request-unknown" | "lease-held" | "lease-orphaned" | "lease-lost" | "frozen" | "preflight-blocked" | "plan-impossible" | "unreachable" | "login-refused" | "tls-refused" | "privilege-missing" | "identity-changed" | "foreign-object" | "drift" | "uncertain" | "superseded" | "not-yet" | "deadline-passed" | "worker-lost" | "cancelled" | "tool-missing" | "tool-failed" | "cache-unusable" | "replication-failed" | "objects-differ" | "source-busy" | "statement-timeout" | "statement-cancelled" | "switch-abandoned" | "pooler-failed" | "data-differs" | "provider-busy" | "provider-refused" | "quota-exceeded" | "reference-missing" | "verification-failed" | "server-error" | "internal";
        message: string;
        hint: string;
        facts: {
            [key: string]: unknown;
        };
    } | null;
    /** While it waits for the lease of its database, or of another one that it names */
    waits: {
        /** Whose lease it waits for: its own database’s, or that of another one that it names */
        database: string;
        /** 1 for the run whose turn is next */
        place: number;
        /** The run that holds the lease, or held it last */
        holder: string | null;
        state: "held" | "free" | "orphaned";
        since: string | null;
        /** When it gives up */
        deadline: string;
        /** The run whose turn is next, when that is another one */
        first: {
            run: string;
            state: "requested" | "planning" | "waiting" | "running" | "parked" | "rolling-back" | "closed";
            /** The title of what it asks people */
            asks: string | null;
        } | null;
    } | null;
    /** The freeze that stops it: its next change waits for the end of that */
    frozen: {
        id: string;
        /** null: every database */
        database: string | null;
        reason: string;
        person: string;
        /** ISO 8601, UTC */
        since: string;
        /** null: until somebody lifts it */
        until: string | null;
        liftedAt: string | null;
        liftedBy: string | null;
        liftedBecause: string | null;
        /** Neither lifted nor over */
        holds: boolean;
        /** Who, since when, until when, why */
        text: string;
    } | null;
    /** Who let it pass freezes and the policy’s quorum; it stays for ever */
    breakGlass: {
        person: string;
        reason: string;
        /** ISO 8601, UTC */
        at: string;
    } | null;
    /** Who has looked at that since */
    review: {
        person: string;
        reason: string;
        /** ISO 8601, UTC */
        at: string;
    } | null;
};
export type RunDetail = {
    /** `<runbook>/<database>/<ULID>`: also the id of the workflow */
    run: string;
    runbook: string;
    database: string;
    state: "requested" | "planning" | "waiting" | "running" | "parked" | "rolling-back" | "closed";
    outcome: ("succeeded" | "refused" | "rolled-back" | "aborted" | "needs-attention") | null;
    because: string | null;
    /** What an undo could not take back, or an abort left */
    left: string[];
    requester: string;
    risk: "low" | "medium" | "high";
    ticket: string | null;
    input: {
        [key: string]: unknown;
    };
    /** ISO 8601, UTC */
    requestedAt: string;
    closedAt: string | null;
    /** Digest of the plan that is followed */
    plan: string | null;
    failure: {
        code: "input-invalid" | "body-invalid" | "body-too-large" | "media-type-unsupported" | "rate-limited" | "overloaded" | "unauthenticated" | "forbidden" | "scope-missing" | "not-found" | "conflict" | "too-many-answers" | "idempotency-key-reused" | "temporal-unavailable" | "search-attributes-missing" | "control-database-unavailable" | "query-too-slow" | "schema-outdated" | "configuration-invalid" | "request-unknown" | "lease-held" | "lease-orphaned" | "lease-lost" | "frozen" | "preflight-blocked" | "plan-impossible" | "unreachable" | "login-refused" | "tls-refused" | "privilege-missing" | "identity-changed" | "foreign-object" | "drift" | "uncertain" | "superseded" | "not-yet" | "deadline-passed" | "worker-lost" | "cancelled" | "tool-missing" | "tool-failed" | "cache-unusable" | "replication-failed" | "objects-differ" | "source-busy" | "statement-timeout" | "statement-cancelled" | "switch-abandoned" | "pooler-failed" | "data-differs" | "provider-busy" | "provider-refused" | "quota-exceeded" | "reference-missing" | "verification-failed" | "server-error" | "internal";
        message: string;
        hint: string;
        facts: {
            [key: string]: unknown;
        };
    } | null;
    /** While it waits for the lease of its database, or of another one that it names */
    waits: {
        /** Whose lease it waits for: its own database’s, or that of another one that it names */
        database: string;
        /** 1 for the run whose turn is next */
        place: number;
        /** The run that holds the lease, or held it last */
        holder: string | null;
        state: "held" | "free" | "orphaned";
        since: string | null;
        /** When it gives up */
        deadline: string;
        /** The run whose turn is next, when that is another one */
        first: {
            run: string;
            state: "requested" | "planning" | "waiting" | "running" | "parked" | "rolling-back" | "closed";
            /** The title of what it asks people */
            asks: string | null;
        } | null;
    } | null;
    /** The freeze that stops it: its next change waits for the end of that */
    frozen: {
        id: string;
        /** null: every database */
        database: string | null;
        reason: string;
        person: string;
        /** ISO 8601, UTC */
        since: string;
        /** null: until somebody lifts it */
        until: string | null;
        liftedAt: string | null;
        liftedBy: string | null;
        liftedBecause: string | null;
        /** Neither lifted nor over */
        holds: boolean;
        /** Who, since when, until when, why */
        text: string;
    } | null;
    /** Who let it pass freezes and the policy’s quorum; it stays for ever */
    breakGlass: {
        person: string;
        reason: string;
        /** ISO 8601, UTC */
        at: string;
    } | null;
    /** Who has looked at that since */
    review: {
        person: string;
        reason: string;
        /** ISO 8601, UTC */
        at: string;
    } | null;
    steps: {
        id: string;
        position: number;
        kind: string;
        title: string;
        state: "pending" | "absent" | "running" | "waiting" | "done" | "failed" | "skipped" | "marked-done" | "undoing" | "undone" | "undo-failed" | "stopped" | "rejected" | "expired";
        generation: number;
        attempt: number;
        /** How many attempts gave way to a newer one, without acting any more */
        superseded: number;
        startedAt: string | null;
        finishedAt: string | null;
        progress: {
            summary: string;
            fraction?: number;
            secondsLeft?: number;
        } | null;
        because: string | null;
        failure: {
            code: "input-invalid" | "body-invalid" | "body-too-large" | "media-type-unsupported" | "rate-limited" | "overloaded" | "unauthenticated" | "forbidden" | "scope-missing" | "not-found" | "conflict" | "too-many-answers" | "idempotency-key-reused" | "temporal-unavailable" | "search-attributes-missing" | "control-database-unavailable" | "query-too-slow" | "schema-outdated" | "configuration-invalid" | "request-unknown" | "lease-held" | "lease-orphaned" | "lease-lost" | "frozen" | "preflight-blocked" | "plan-impossible" | "unreachable" | "login-refused" | "tls-refused" | "privilege-missing" | "identity-changed" | "foreign-object" | "drift" | "uncertain" | "superseded" | "not-yet" | "deadline-passed" | "worker-lost" | "cancelled" | "tool-missing" | "tool-failed" | "cache-unusable" | "replication-failed" | "objects-differ" | "source-busy" | "statement-timeout" | "statement-cancelled" | "switch-abandoned" | "pooler-failed" | "data-differs" | "provider-busy" | "provider-refused" | "quota-exceeded" | "reference-missing" | "verification-failed" | "server-error" | "internal";
            message: string;
            hint: string;
            facts: {
                [key: string]: unknown;
            };
        } | null;
    }[];
    /** The open ones */
    questions: {
        run: string;
        /** The step that asks */
        approval: string;
        /** Which asking of it, from 1 */
        opening: number;
        /** What an answer binds to */
        digest: string;
        kind: "approval" | "parked";
        choices: ("approve" | "reject" | "withdraw" | "retry" | "start-again" | "skip" | "mark-done" | "roll-back" | "abort" | "cancel")[];
        /** ISO 8601, UTC */
        deadline?: string;
        quorum: {
            group: string;
            count: number;
            or?: string[];
        }[];
        requester: string;
        failure: {
            code: "input-invalid" | "body-invalid" | "body-too-large" | "media-type-unsupported" | "rate-limited" | "overloaded" | "unauthenticated" | "forbidden" | "scope-missing" | "not-found" | "conflict" | "too-many-answers" | "idempotency-key-reused" | "temporal-unavailable" | "search-attributes-missing" | "control-database-unavailable" | "query-too-slow" | "schema-outdated" | "configuration-invalid" | "request-unknown" | "lease-held" | "lease-orphaned" | "lease-lost" | "frozen" | "preflight-blocked" | "plan-impossible" | "unreachable" | "login-refused" | "tls-refused" | "privilege-missing" | "identity-changed" | "foreign-object" | "drift" | "uncertain" | "superseded" | "not-yet" | "deadline-passed" | "worker-lost" | "cancelled" | "tool-missing" | "tool-failed" | "cache-unusable" | "replication-failed" | "objects-differ" | "source-busy" | "statement-timeout" | "statement-cancelled" | "switch-abandoned" | "pooler-failed" | "data-differs" | "provider-busy" | "provider-refused" | "quota-exceeded" | "reference-missing" | "verification-failed" | "server-error" | "internal";
            message: string;
            hint: string;
            facts: {
                [key: string]: unknown;
            };
        } | null;
        /** ISO 8601, UTC */
        openedAt: string;
        agreements: {
            person: string;
            groups: string[];
            choice: "approve" | "reject" | "withdraw" | "retry" | "start-again" | "skip" | "mark-done" | "roll-back" | "abort" | "cancel";
        }[];
        /** Reminders and, with a quorum that holds from then on, escalations; `done`: when it happened */
        chain: {
            /** ISO 8601, UTC */
            at: string;
            quorum?: {
                group: string;
                count: number;
                or?: string[];
            }[];
            done: string | null;
        }[];
    }[];
    decisions: {
        id: string;
        run: string;
        approval: string;
        opening: number;
        digest: string;
        choice: "approve" | "reject" | "withdraw" | "retry" | "start-again" | "skip" | "mark-done" | "roll-back" | "abort" | "cancel";
        person: string;
        kind: "person" | "service";
        groups: string[];
        channel: string;
        reason: string | null;
        /** ISO 8601, UTC */
        at: string;
        /** null until the run has judged it */
        counts: boolean | null;
        because: string | null;
    }[];
    /** What the steps proved, by name */
    evidence: {
        [key: string]: unknown;
    };
};
/**
 * Whether the process lives
 */
export function getHealthz(opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            alive: true;
        };
    }>("/healthz", {
        ...opts
    });
}
/**
 * Whether control database and Temporal answer, and the schema fits; and what is wrong beside that
 */
export function getReadyz(opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            ready: true;
            /** What is wrong, though requests are served */
            degraded: {
                what: "workers" | "schema" | "runs" | "sweepers";
                because: string;
            }[];
        };
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>("/readyz", {
        ...opts
    });
}
/**
 * What is there, in numbers, for Prometheus
 */
export function getMetrics(opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchText("/metrics", {
        ...opts
    });
}
/**
 * What a kind of problem means, and what to do
 */
export function getProblemsByCode(code: string, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            code: string;
            status: number;
            retryable: boolean;
            meaning: string;
            hint: string;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    }>(`/problems/${encodeURIComponent(code)}`, {
        ...opts
    });
}
/**
 * Decrypts payloads, for Temporal’s web page and command line
 */
export function postCodecDecode(body: {
    payloads: {
        metadata?: {
            [key: string]: string;
        };
        data?: string;
    }[];
}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            payloads: {
                metadata: {
                    [key: string]: string;
                };
                data?: string;
            }[];
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>("/codec/decode", oazapfts.json({
        ...opts,
        method: "POST",
        body
    }));
}
/**
 * Make a plan and run its checks: looks at the database, changes nothing, starts nothing
 */
export function postV1Plans(body: {
    /** A runbook */
    runbook: string;
    /** A database of the inventory */
    database: string;
    input?: {
        [key: string]: unknown;
    };
}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            /** Whether a finding blocks: a run that is asked for now would be refused */
            blocked: boolean;
            summary: {
                /** Those that apply */
                steps: number;
                changes: number;
                approvals: number[];
                estimate: {
                    /** Of the steps that have an estimate, without the time that people take */
                    seconds: number;
                    /** How many steps have none */
                    "unknown": number;
                };
                /** What users of the database notice while the run works */
                holds: {
                    what: string;
                    /** Position of a step, from 1 */
                    step: number;
                    /** Position of a step, from 1 */
                    until: number;
                    /** A limit that the run keeps: over it, it gives up */
                    atMostSeconds: number | null;
                    /** By the estimates of its steps; null when one of them has none */
                    aboutSeconds: number | null;
                    /** Whether people are asked meanwhile: it lasts as long as they take, too */
                    asks: boolean;
                }[];
                /** The first step without a way back */
                noReturn: number | null;
            };
            /** What blocks comes first */
            findings: {
                check: string;
                level: "blocks" | "warns" | "informs";
                evidence: string;
                fix: string;
            }[];
            plan: Plan;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 409;
        data: Problem;
    } | {
        status: 413;
        data: Problem;
    } | {
        status: 415;
        data: Problem;
    } | {
        status: 422;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 502;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>("/v1/plans", oazapfts.json({
        ...opts,
        method: "POST",
        body
    }));
}
/**
 * Ask for a run. The same Idempotency-Key with the same body answers with the same run
 */
export function postV1Runs(idempotencyKey: string, body: {
    /** A runbook */
    runbook: string;
    /** A database of the inventory */
    database: string;
    input?: {
        [key: string]: unknown;
    };
    ticket?: string;
    /** An emergency, and why: freezes and the policy’s quorum do not stop the run. Loud, and reviewed afterwards */
    breakGlass?: string;
    /** Stand in line for the lease for so long (`2h`, at most `7d`; `true`: a day) instead of being refused while it is held */
    wait?: true | string;
}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 202;
        data: {
            run: string;
            /** The ULID: what people type */
            id: string;
            state: "requested" | "planning" | "waiting" | "running" | "parked" | "rolling-back" | "closed";
            location: string;
            /** false: this Idempotency-Key had asked for it before */
            created: boolean;
            /** Why it has not started yet; it is tried again */
            delayed: string | null;
            /** Other runs that are open on its database, or on another one that it names; ten at most */
            others: {
                run: string;
                state: "requested" | "planning" | "waiting" | "running" | "parked" | "rolling-back" | "closed";
                /** Whether it holds the lease of a database of this run */
                holds: boolean;
            }[];
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 409;
        data: Problem;
    } | {
        status: 413;
        data: Problem;
    } | {
        status: 415;
        data: Problem;
    } | {
        status: 422;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>("/v1/runs", oazapfts.json({
        ...opts,
        method: "POST",
        body,
        headers: oazapfts.mergeHeaders(opts?.headers, {
            "idempotency-key": idempotencyKey
        })
    }));
}
/**
 * Runs, newest first
 */
export function getV1Runs({ database, runbook, state, outcome, requester, breakGlass, since, until, before, limit }: {
    database?: string;
    runbook?: string;
    state?: "requested" | "planning" | "waiting" | "running" | "parked" | "rolling-back" | "closed";
    outcome?: "succeeded" | "refused" | "rolled-back" | "aborted" | "needs-attention";
    requester?: string;
    breakGlass?: "used" | "not-reviewed";
    since?: string;
    until?: string;
    before?: string;
    limit?: number;
} = {}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            runs: Run[];
            /** `before` of the next page */
            next: string | null;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/runs${QS.query(QS.explode({
        database,
        runbook,
        state,
        outcome,
        requester,
        breakGlass,
        since,
        until,
        before,
        limit
    }))}`, {
        ...opts
    });
}
/**
 * A run: steps, open questions, decisions, evidence
 */
export function getV1RunsById(id: string, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: RunDetail;
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/runs/${encodeURIComponent(id)}`, {
        ...opts
    });
}
/**
 * The plan that the run follows
 */
export function getV1RunsByIdPlan(id: string, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: Plan;
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/runs/${encodeURIComponent(id)}/plan`, {
        ...opts
    });
}
/**
 * The record of everything, oldest first, or as a stream
 */
export function getV1Events({ after, limit, run, kind, actor, since, until, lastEventId }: {
    after?: number;
    limit?: number;
    run?: string;
    kind?: string;
    actor?: string;
    since?: string;
    until?: string;
    lastEventId?: number;
} = {}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            events: {
                seq: number;
                /** ISO 8601, UTC */
                at: string;
                run: string | null;
                kind: string;
                actor: {
                    kind: "person" | "service" | "system";
                    name: string;
                    channel: string;
                };
                data: {
                    [key: string]: unknown;
                };
            }[];
            /** `after` of the next page; null when there is none yet */
            next: number | null;
        };
    } | {
        status: 204;
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/events${QS.query(QS.explode({
        after,
        limit,
        run,
        kind,
        actor,
        since,
        until
    }))}`, {
        ...opts,
        headers: oazapfts.mergeHeaders(opts?.headers, {
            "last-event-id": lastEventId
        })
    });
}
/**
 * What happened in the run, oldest first, or as a stream that ends with the run
 */
export function getV1RunsByIdEvents(id: string, { after, limit, lastEventId }: {
    after?: number;
    limit?: number;
    lastEventId?: number;
} = {}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            events: {
                seq: number;
                /** ISO 8601, UTC */
                at: string;
                run: string | null;
                kind: string;
                actor: {
                    kind: "person" | "service" | "system";
                    name: string;
                    channel: string;
                };
                data: {
                    [key: string]: unknown;
                };
            }[];
            /** `after` of the next page; null when there is none yet */
            next: number | null;
        };
    } | {
        status: 204;
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/runs/${encodeURIComponent(id)}/events${QS.query(QS.explode({
        after,
        limit
    }))}`, {
        ...opts,
        headers: oazapfts.mergeHeaders(opts?.headers, {
            "last-event-id": lastEventId
        })
    });
}
/**
 * Answer an open question. 403 or 409 when the answer does not count; 202 when it is judged later
 */
export function postV1RunsByIdDecisions(id: string, body: {
    approval: string;
    opening: number;
    /** The digest that the question shows */
    digest: string | "";
    choice: "approve" | "reject" | "withdraw" | "retry" | "start-again" | "skip" | "mark-done" | "roll-back" | "abort" | "cancel";
    /** Needed for reject, skip, mark-done, roll-back, abort and cancel */
    reason?: string;
}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            decision: string;
            /** null: recorded and delivered, judged as soon as a worker is there */
            counts: boolean | null;
            settled: ("approve" | "reject" | "withdraw" | "retry" | "start-again" | "skip" | "mark-done" | "roll-back" | "abort" | "cancel") | null;
            because: string;
        };
    } | {
        status: 202;
        data: {
            decision: string;
            /** null: recorded and delivered, judged as soon as a worker is there */
            counts: boolean | null;
            settled: ("approve" | "reject" | "withdraw" | "retry" | "start-again" | "skip" | "mark-done" | "roll-back" | "abort" | "cancel") | null;
            because: string;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 409;
        data: Problem;
    } | {
        status: 413;
        data: Problem;
    } | {
        status: 415;
        data: Problem;
    } | {
        status: 422;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/runs/${encodeURIComponent(id)}/decisions`, oazapfts.json({
        ...opts,
        method: "POST",
        body
    }));
}
/**
 * Cancel the run: before the point of no return everything is undone
 */
export function postV1RunsByIdCancel(id: string, body: {
    reason: string;
}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            decision: string;
            /** null: recorded and delivered, judged as soon as a worker is there */
            counts: boolean | null;
            settled: ("approve" | "reject" | "withdraw" | "retry" | "start-again" | "skip" | "mark-done" | "roll-back" | "abort" | "cancel") | null;
            because: string;
        };
    } | {
        status: 202;
        data: {
            decision: string;
            /** null: recorded and delivered, judged as soon as a worker is there */
            counts: boolean | null;
            settled: ("approve" | "reject" | "withdraw" | "retry" | "start-again" | "skip" | "mark-done" | "roll-back" | "abort" | "cancel") | null;
            because: string;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 409;
        data: Problem;
    } | {
        status: 413;
        data: Problem;
    } | {
        status: 415;
        data: Problem;
    } | {
        status: 422;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/runs/${encodeURIComponent(id)}/cancel`, oazapfts.json({
        ...opts,
        method: "POST",
        body
    }));
}
/**
 * The databases of the inventory
 */
export function getV1Databases(opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            databases: {
                name: string;
                description: string | null;
                provider: string;
                owners: string;
                policy: string;
                /** The groups whose people may ask for a run */
                requesters: string[];
                /** The groups whose people may answer for a failed step, and cancel */
                operators: string[];
                pooled: boolean;
            }[];
        };
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>("/v1/databases", {
        ...opts
    });
}
/**
 * The runbooks, each with the JSON Schema of its input
 */
export function getV1Runbooks(opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            runbooks: {
                name: string;
                version: number;
                risk: "low" | "medium" | "high";
                summary: string;
                /** JSON Schema of the input */
                input: {
                    [key: string]: unknown;
                };
                steps: {
                    id: string;
                    kind: "check" | "change" | "wait" | "approval";
                    title: string;
                    skippable: boolean;
                    pointOfNoReturn: boolean;
                }[];
            }[];
        };
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>("/v1/runbooks", {
        ...opts
    });
}
/**
 * All leases that were ever taken: who has them, since when, and why
 */
export function getV1Leases(opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            leases: {
                database: string;
                state: "held" | "free" | "orphaned";
                /** The run that holds it, or held it last */
                holder: string | null;
                epoch: number;
                since: string | null;
                /** What its run does, or what it left; for a free one that runs wait for, whose turn it is */
                why: string | null;
                /** How many runs wait for it */
                waiting: number;
            }[];
        };
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>("/v1/leases", {
        ...opts
    });
}
/**
 * Who may change the database now
 */
export function getV1LeasesByDatabase(database: string, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            database: string;
            state: "held" | "free" | "orphaned";
            /** The run that holds it, or held it last */
            holder: string | null;
            epoch: number;
            since: string | null;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/leases/${encodeURIComponent(database)}`, {
        ...opts
    });
}
/**
 * Free a lease whose run has ended; 409 while the run is open
 */
export function postV1LeasesByDatabaseRelease(database: string, body: {
    reason: string;
}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            database: string;
            state: "held" | "free" | "orphaned";
            /** The run that holds it, or held it last */
            holder: string | null;
            epoch: number;
            since: string | null;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 409;
        data: Problem;
    } | {
        status: 413;
        data: Problem;
    } | {
        status: 415;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/leases/${encodeURIComponent(database)}/release`, oazapfts.json({
        ...opts,
        method: "POST",
        body
    }));
}
/**
 * The freezes that hold, newest first
 */
export function getV1Freezes({ past }: {
    past?: "true" | "false";
} = {}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            freezes: {
                id: string;
                /** null: every database */
                database: string | null;
                reason: string;
                person: string;
                /** ISO 8601, UTC */
                since: string;
                /** null: until somebody lifts it */
                until: string | null;
                liftedAt: string | null;
                liftedBy: string | null;
                liftedBecause: string | null;
                /** Neither lifted nor over */
                holds: boolean;
                /** Who, since when, until when, why */
                text: string;
            }[];
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/freezes${QS.query(QS.explode({
        past
    }))}`, {
        ...opts
    });
}
/**
 * Freeze a database, or every one: no change begins there. Saying the same twice is harmless
 */
export function postV1Freezes(body: {
    /** null, or left out: every database */
    database?: string | null;
    reason: string;
    /** When it ends by itself; null, or left out: when somebody lifts it */
    until?: string | null;
}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            id: string;
            /** null: every database */
            database: string | null;
            reason: string;
            person: string;
            /** ISO 8601, UTC */
            since: string;
            /** null: until somebody lifts it */
            until: string | null;
            liftedAt: string | null;
            liftedBy: string | null;
            liftedBecause: string | null;
            /** Neither lifted nor over */
            holds: boolean;
            /** Who, since when, until when, why */
            text: string;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 413;
        data: Problem;
    } | {
        status: 415;
        data: Problem;
    } | {
        status: 422;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>("/v1/freezes", oazapfts.json({
        ...opts,
        method: "POST",
        body
    }));
}
/**
 * Lift a freeze; one that is lifted or over stays as it is
 */
export function postV1FreezesByIdLift(id: string, body: {
    reason: string;
}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            id: string;
            /** null: every database */
            database: string | null;
            reason: string;
            person: string;
            /** ISO 8601, UTC */
            since: string;
            /** null: until somebody lifts it */
            until: string | null;
            liftedAt: string | null;
            liftedBy: string | null;
            liftedBecause: string | null;
            /** Neither lifted nor over */
            holds: boolean;
            /** Who, since when, until when, why */
            text: string;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 413;
        data: Problem;
    } | {
        status: 415;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/freezes/${encodeURIComponent(id)}/lift`, oazapfts.json({
        ...opts,
        method: "POST",
        body
    }));
}
/**
 * An emergency: freezes and the policy’s quorum stop the run no more. Loud, and reviewed afterwards
 */
export function postV1RunsByIdBreakGlass(id: string, body: {
    reason: string;
}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: Run;
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 409;
        data: Problem;
    } | {
        status: 413;
        data: Problem;
    } | {
        status: 415;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/runs/${encodeURIComponent(id)}/break-glass`, oazapfts.json({
        ...opts,
        method: "POST",
        body
    }));
}
/**
 * Say that you have looked at a closed run that broke the glass: neither its requester nor who broke it
 */
export function postV1RunsByIdReview(id: string, body: {
    reason: string;
}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: Run;
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 409;
        data: Problem;
    } | {
        status: 413;
        data: Problem;
    } | {
        status: 415;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/runs/${encodeURIComponent(id)}/review`, oazapfts.json({
        ...opts,
        method: "POST",
        body
    }));
}
/**
 * What runs that have ended left behind: by their journal, and by a look at the databases
 */
export function getV1Janitor({ database }: {
    database?: string;
} = {}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            /** Runs that have ended and whose lease nobody has released */
            runs: {
                run: string;
                database: string;
                outcome: "succeeded" | "refused" | "rolled-back" | "aborted" | "needs-attention";
                because: string | null;
                /** ISO 8601, UTC */
                closedAt: string;
                /** held: it is being cleared up */
                lease: "held" | "orphaned";
                left: {
                    step: string;
                    /** ISO 8601, UTC */
                    at: string;
                    /** null: nobody knows how it ended */
                    outcome: string | null;
                }[];
                /** Its own undos can take it back */
                safe: boolean;
                /** Why they can not */
                unsafe: string | null;
                /** What to do */
                command: string;
            }[];
            /** What was found on the databases and at their providers, is no open run’s and was not kept on purpose */
            objects: {
                database: string;
                kind: string;
                name: string;
                /** Of what stands at a provider; else null */
                region: string | null;
                /** The run whose name it bears */
                run: string | null;
                owner: "closed" | "unknown";
                /** What to do; null: nothing is removed whose run is not known here */
                command: string | null;
            }[];
            /** What runs that succeeded have left at a provider on purpose */
            kept: {
                database: string;
                kind: string;
                name: string;
                region: string;
                run: string;
                /** What it is kept as */
                what: string;
                /** Since when it is there; null while it is being made */
                since: string | null;
                /** The day from which on it is meant to go; null: somebody decides */
                due: string | null;
                /** What removes it once nobody needs it */
                command: string;
            }[];
            /** Databases that could not be looked at */
            unseen: {
                database: string;
                because: string;
            }[];
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/janitor${QS.query(QS.explode({
        database
    }))}`, {
        ...opts
    });
}
/**
 * Take back what a run has left, by its own undos; `run.cleared` among its events says what came of it
 */
export function postV1JanitorById(id: string, body: {
    reason: string;
}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 202;
        data: {
            run: string;
            /** The number of its event; `run.cleared` names it */
            asked: number;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 409;
        data: Problem;
    } | {
        status: 413;
        data: Problem;
    } | {
        status: 415;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/janitor/${encodeURIComponent(id)}`, oazapfts.json({
        ...opts,
        method: "POST",
        body
    }));
}
/**
 * Walk the chain of the audit record, from where the last walk of this API ended; callers share one walk
 */
export function getV1AuditVerify({ anchor, full }: {
    anchor?: string;
    full?: "true" | "false";
} = {}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            /** The first row that was read: 1 is the whole record, else the rows before were verified earlier */
            "from": number;
            rows: number;
            head: string | null;
            /** Rows and head, to be kept elsewhere and given with the next question; null when a row is bad */
            anchor: string | null;
            /** The first row that does not fit */
            bad: {
                seq: number;
                what: string;
            } | null;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/audit/verify${QS.query(QS.explode({
        anchor,
        full
    }))}`, {
        ...opts
    });
}
/**
 * A stored document by its digest: the findings of a preflight, the facts of a plan
 */
export function getV1FindingsByDigest(digest: string, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: unknown;
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/findings/${encodeURIComponent(digest)}`, {
        ...opts
    });
}
/**
 * The ledger of proofs: restores that were made and looked at, newest first; and databases without a recent one
 */
export function getV1Proofs({ database, before, limit }: {
    database?: string;
    before?: string;
    limit?: number;
} = {}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            proofs: {
                id: string;
                run: string;
                database: string;
                at: string;
                /** Only `restored-and-queried` proves that the database can be brought back */
                verified: "none" | "available" | "restored-and-queried";
                /** What was restored */
                backup: string;
                backupAt: string | null;
                /** The moment that was asked for; null: the newest */
                target: string | null;
                /** The newest row or commit that is there */
                recoveredTo: string | null;
                /** Until it answered */
                secondsAvailable: number | null;
                /** Until every page had been read */
                secondsHydrated: number | null;
                checks: {
                    tier: string;
                    state: string;
                    seconds: number;
                }[];
                versions: {
                    [key: string]: string;
                };
            }[];
            /** `before` of the next page */
            next: string | null;
            /** Databases that had no proved restore for as long as their policy allows */
            overdue: {
                database: string;
                lastProvedAt: string | null;
                withinDays: number;
            }[];
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/proofs${QS.query(QS.explode({
        database,
        before,
        limit
    }))}`, {
        ...opts
    });
}
/**
 * The tokens of your name, without their secrets
 */
export function getV1Tokens(opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            tokens: {
                id: string;
                person: string;
                kind: "person" | "service";
                scopes: ("read" | "plan" | "start" | "decide" | "lease" | "decode" | "tokens" | "audit")[];
                note: string | null;
                /** ISO 8601, UTC */
                createdAt: string;
                expiresAt: string | null;
                revokedAt: string | null;
                /** At most a minute behind */
                lastUsedAt: string | null;
                /** Until when a secret that was replaced is valid */
                oldSecretUntil: string | null;
            }[];
        };
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>("/v1/tokens", {
        ...opts
    });
}
/**
 * Make a further token of your name, which may do no more and lives no longer than yours
 */
export function postV1Tokens(body: {
    /** A service’s token may answer questions only where the policy says so */
    kind?: "person" | "service";
    /** Of those that your own token has */
    scopes: ("read" | "plan" | "start" | "decide" | "lease" | "decode" | "tokens" | "audit")[];
    note?: string;
    /** Not later than your own token; default: with it */
    expiresInSeconds?: number;
}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 201;
        data: {
            id: string;
            person: string;
            kind: "person" | "service";
            scopes: ("read" | "plan" | "start" | "decide" | "lease" | "decode" | "tokens" | "audit")[];
            note: string | null;
            /** ISO 8601, UTC */
            createdAt: string;
            expiresAt: string | null;
            revokedAt: string | null;
            /** At most a minute behind */
            lastUsedAt: string | null;
            /** Until when a secret that was replaced is valid */
            oldSecretUntil: string | null;
            /** Shown once, stored as a hash */
            token: string;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 409;
        data: Problem;
    } | {
        status: 413;
        data: Problem;
    } | {
        status: 415;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>("/v1/tokens", oazapfts.json({
        ...opts,
        method: "POST",
        body
    }));
}
/**
 * A new secret for a token; the old one is valid for the overlap
 */
export function postV1TokensByIdRotate(id: string, body: {
    /** How long every earlier secret stays valid, at most */
    overlapSeconds?: number;
}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            id: string;
            person: string;
            kind: "person" | "service";
            scopes: ("read" | "plan" | "start" | "decide" | "lease" | "decode" | "tokens" | "audit")[];
            note: string | null;
            /** ISO 8601, UTC */
            createdAt: string;
            expiresAt: string | null;
            revokedAt: string | null;
            /** At most a minute behind */
            lastUsedAt: string | null;
            /** Until when a secret that was replaced is valid */
            oldSecretUntil: string | null;
            /** Shown once, stored as a hash */
            token: string;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 409;
        data: Problem;
    } | {
        status: 413;
        data: Problem;
    } | {
        status: 415;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/tokens/${encodeURIComponent(id)}/rotate`, oazapfts.json({
        ...opts,
        method: "POST",
        body
    }));
}
/**
 * End a token, with all its secrets
 */
export function postV1TokensByIdRevoke(id: string, body: {}, opts?: Oazapfts.RequestOpts) {
    return oazapfts.fetchJson<{
        status: 200;
        data: {
            id: string;
            person: string;
            kind: "person" | "service";
            scopes: ("read" | "plan" | "start" | "decide" | "lease" | "decode" | "tokens" | "audit")[];
            note: string | null;
            /** ISO 8601, UTC */
            createdAt: string;
            expiresAt: string | null;
            revokedAt: string | null;
            /** At most a minute behind */
            lastUsedAt: string | null;
            /** Until when a secret that was replaced is valid */
            oldSecretUntil: string | null;
        };
    } | {
        status: 400;
        data: Problem;
    } | {
        status: 401;
        data: Problem;
    } | {
        status: 403;
        data: Problem;
    } | {
        status: 404;
        data: Problem;
    } | {
        status: 409;
        data: Problem;
    } | {
        status: 413;
        data: Problem;
    } | {
        status: 415;
        data: Problem;
    } | {
        status: 429;
        data: Problem;
    } | {
        status: 500;
        data: Problem;
    } | {
        status: 503;
        data: Problem;
    }>(`/v1/tokens/${encodeURIComponent(id)}/revoke`, oazapfts.json({
        ...opts,
        method: "POST",
        body
    }));
}
