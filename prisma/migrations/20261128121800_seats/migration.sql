-- Places of which only so many may be taken at once over all processes: a user's sockets, the users whom a venue lets one address listen to.
CREATE TABLE "seat_holders" (
  "id" TEXT PRIMARY KEY,
  "place" TEXT,
  "expires_at" TIMESTAMPTZ(3) NOT NULL
);
CREATE INDEX "seat_holders_expires_at_idx" ON "seat_holders"("expires_at");
CREATE INDEX "seat_holders_place_idx" ON "seat_holders"("place");
CREATE TABLE "seats" (
  "scope" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "holder_id" TEXT NOT NULL REFERENCES "seat_holders"("id") ON DELETE CASCADE ON UPDATE CASCADE,
  PRIMARY KEY ("scope", "name", "holder_id")
);
CREATE INDEX "seats_holder_id_idx" ON "seats"("holder_id");
