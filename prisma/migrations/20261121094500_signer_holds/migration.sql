-- Where nonces are strict: the request whose nonce is not known used or free holds its signer.
ALTER TABLE "signers" ADD COLUMN "open_attempt_id" TEXT;
