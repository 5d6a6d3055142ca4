import { cutoverSubject } from '../../harness/cutover/subject.ts';
import { prove } from '../../harness/prove.ts';

prove(cutoverSubject, 'some');
