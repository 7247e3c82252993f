"""Pictures: which one some content is, and how it is written anew, bare or small."""
