//! Show the network something: respond, evaluate.
