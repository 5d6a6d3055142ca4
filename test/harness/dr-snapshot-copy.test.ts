import { copyAbroadCalls, copyAbroadSubject } from './copy-abroad/subject.ts';
import { prove } from './prove.ts';
import { provesCalls } from './proofs/calls.ts';

provesCalls(prove(copyAbroadSubject, 'some'), copyAbroadCalls);
