"""What differs between the rules of two versions, each difference as a sentence under the clause it belongs to."""
