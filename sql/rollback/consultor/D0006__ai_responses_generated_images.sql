-- consultor D0006: undoes V0006; the rows of generated_images and ai_responses are lost.
-- Lock: ACCESS EXCLUSIVE on both tables, consultants, leads and conversations, held for catalog changes only.

DROP TABLE generated_images;
DROP TABLE ai_responses;
