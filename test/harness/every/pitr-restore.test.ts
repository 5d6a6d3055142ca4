import { restoreCalls, restoreSubject } from '../restore/subject.ts';
import { prove } from '../prove.ts';
import { provesCalls } from '../proofs/calls.ts';

provesCalls(prove(restoreSubject, 'every'), restoreCalls);
