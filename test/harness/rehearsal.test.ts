import { prove } from './prove.ts';
import { rehearsalSubject } from './rehearsal.ts';

prove(rehearsalSubject, 'every');
