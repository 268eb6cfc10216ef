-- What a tier pays for counts for the jobs it may enqueue, too; "enqueue" is for everybody else.
INSERT INTO policy (name, algorithm, amount, window_ms, burst) VALUES
    ('anonymous.enqueue', 'window', 300, 3600000, 0),
    ('free.enqueue', 'window', 100, 3600000, 0),
    ('pro.enqueue', 'window', 2000, 3600000, 0),
    ('enterprise.enqueue', 'window', 20000, 3600000, 0)
    ON CONFLICT (name) DO NOTHING;

UPDATE policy_set SET version = version + 1;
