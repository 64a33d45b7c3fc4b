import { testInputs } from '../inputs/suite.ts';

testInputs(2_000);
