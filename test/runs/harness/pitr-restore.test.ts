import { restoreCalls, restoreSubject } from '../../harness/restore/subject.ts';
import { prove } from '../../harness/prove.ts';
import { provesCalls } from '../../harness/proofs/calls.ts';

provesCalls(prove(restoreSubject, 'some'), restoreCalls);
