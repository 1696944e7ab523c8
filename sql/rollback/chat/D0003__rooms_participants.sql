-- chat D0003: undoes V0003; the rows of chat_rooms and room_participants are lost.
-- Lock: ACCESS EXCLUSIVE on both tables and on users, held for catalog changes only.

DROP TABLE room_participants;
DROP FUNCTION enforce_room_admission();
DROP TABLE chat_rooms;
