"""Problems that programs are evolved for, each with a strict evaluator of our own."""
