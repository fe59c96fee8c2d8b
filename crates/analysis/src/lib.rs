//! Arrays and labels in, tables out: the same analysis in vivo and in silico.
