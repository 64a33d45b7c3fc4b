import { testInputs } from '../inputs/suite.ts';

testInputs(5_000);
