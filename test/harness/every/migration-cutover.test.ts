import { cutoverSubject } from '../cutover/subject.ts';
import { prove } from '../prove.ts';

prove(cutoverSubject, 'every');
