-- The open runs of a database, when somebody asks for another one: the closed ones are many more.
CREATE INDEX runs_open_of_database ON steadyhand.runs (database, id) WHERE state <> 'closed';
