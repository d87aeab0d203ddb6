// SPDX-License-Identifier: Apache-2.0
// What the words are called.  A build leaves the names out of each language and puts them
// here, in their order, so that nobody fetches a language that he does not read.
import { en } from "./en.js";

export const keys = Object.keys(en);
