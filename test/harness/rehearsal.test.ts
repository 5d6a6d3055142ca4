import { prove } from './prove.ts';
import { rehearsalSubject } from './rehearsal/subject.ts';

prove(rehearsalSubject, 'some');
