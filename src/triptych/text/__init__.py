"""Words for the painters: tokenizer, synonyms, text encoder and its contrastive training."""
