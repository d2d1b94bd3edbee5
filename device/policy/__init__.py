"""From a credential to a verdict: pure rules, lists of pseudonyms, and the judge that ties them together."""
