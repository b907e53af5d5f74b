"""bank: kinds, materials, pictures, second keys, pairs."""

import sqlalchemy as sa
from alembic import op

import qbank.kernel.times

revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('column_mappings',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('titles_hash', sa.String(length=64), nullable=False),
    sa.Column('columns', sa.JSON(), nullable=False),
    sa.Column('made_by_id', sa.Integer(), nullable=False),
    sa.Column('made_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_column_mappings_institution_id_institutions')),
    sa.ForeignKeyConstraint(['made_by_id'], ['accounts.id'], name=op.f('fk_column_mappings_made_by_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_column_mappings')),
    sa.UniqueConstraint('institution_id', 'titles_hash', name=op.f('uq_column_mappings_institution_id_titles_hash'))
    )
    op.create_table('knowledge_choices',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('table_id', sa.Integer(), nullable=False),
    sa.Column('words', sa.Text(), nullable=False),
    sa.Column('words_hash', sa.String(length=64), nullable=False),
    sa.Column('point_id', sa.Integer(), nullable=False),
    sa.Column('made_by_id', sa.Integer(), nullable=False),
    sa.Column('made_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_knowledge_choices_institution_id_institutions')),
    sa.ForeignKeyConstraint(['made_by_id'], ['accounts.id'], name=op.f('fk_knowledge_choices_made_by_id_accounts')),
    sa.ForeignKeyConstraint(['point_id'], ['points.id'], name=op.f('fk_knowledge_choices_point_id_points'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['table_id'], ['weight_tables.id'], name=op.f('fk_knowledge_choices_table_id_weight_tables')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_knowledge_choices')),
    sa.UniqueConstraint('institution_id', 'table_id', 'words_hash', name=op.f('uq_knowledge_choices_institution_id_table_id_words_hash'))
    )
    op.create_table('export_files',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('table_id', sa.Integer(), nullable=False),
    sa.Column('format', sa.String(length=20), nullable=False),
    sa.Column('file_name', sa.String(length=200), nullable=False),
    sa.Column('written', sa.Integer(), nullable=False),
    sa.Column('losses', sa.JSON(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=True),
    sa.Column('made_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_export_files_account_id_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_export_files_institution_id_institutions')),
    sa.ForeignKeyConstraint(['table_id'], ['weight_tables.id'], name=op.f('fk_export_files_table_id_weight_tables')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_export_files'))
    )
    with op.batch_alter_table('export_files', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_export_files_account_id'), ['account_id'], unique=False)

    op.create_table('pictures',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(length=64), nullable=False),
    sa.Column('media_type', sa.String(length=20), nullable=False),
    sa.Column('width', sa.Integer(), nullable=False),
    sa.Column('height', sa.Integer(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('uploader_id', sa.Integer(), nullable=False),
    sa.Column('uploaded_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_pictures_institution_id_institutions')),
    sa.ForeignKeyConstraint(['uploader_id'], ['accounts.id'], name=op.f('fk_pictures_uploader_id_accounts')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_pictures')),
    sa.UniqueConstraint('institution_id', 'sha256', name=op.f('uq_pictures_institution_id_sha256'))
    )
    with op.batch_alter_table('pictures', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_pictures_sha256'), ['sha256'], unique=False)

    op.create_table('stimuli',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('institution_id', sa.Integer(), nullable=False),
    sa.Column('table_id', sa.Integer(), nullable=False),
    sa.Column('root_id', sa.Integer(), nullable=True),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('author_id', sa.Integer(), nullable=False),
    sa.Column('created_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['author_id'], ['accounts.id'], name=op.f('fk_stimuli_author_id_accounts')),
    sa.ForeignKeyConstraint(['institution_id'], ['institutions.id'], name=op.f('fk_stimuli_institution_id_institutions')),
    sa.ForeignKeyConstraint(['root_id'], ['stimuli.id'], name=op.f('fk_stimuli_root_id_stimuli')),
    sa.ForeignKeyConstraint(['table_id'], ['weight_tables.id'], name=op.f('fk_stimuli_table_id_weight_tables')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_stimuli'))
    )
    with op.batch_alter_table('stimuli', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_stimuli_institution_id'), ['institution_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_stimuli_root_id'), ['root_id'], unique=False)
        batch_op.create_index(batch_op.f('ix_stimuli_table_id'), ['table_id'], unique=False)

    op.create_table('item_figures',
    sa.Column('item_id', sa.Integer(), nullable=False),
    sa.Column('uses', sa.Integer(), nullable=False),
    sa.Column('last_used_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.Column('measured_id', sa.Integer(), nullable=True),
    sa.Column('answered', sa.Integer(), nullable=False),
    sa.Column('difficulty', sa.Double(), nullable=True),
    sa.Column('discrimination', sa.Double(), nullable=True),
    sa.ForeignKeyConstraint(['item_id'], ['items.id'], name=op.f('fk_item_figures_item_id_items'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['measured_id'], ['item_versions.id'], name=op.f('fk_item_figures_measured_id_item_versions'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('item_id', name=op.f('pk_item_figures'))
    )
    op.create_table('item_pairs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('first_id', sa.Integer(), nullable=False),
    sa.Column('second_id', sa.Integer(), nullable=False),
    sa.Column('kind', sa.Enum('ENEMY', 'SIMILAR', 'DISTINCT', name='pairkind', native_enum=False, length=10), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('decided_by_id', sa.Integer(), nullable=False),
    sa.Column('decided_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.CheckConstraint('first_id < second_id', name=op.f('ck_item_pairs_order')),
    sa.ForeignKeyConstraint(['decided_by_id'], ['accounts.id'], name=op.f('fk_item_pairs_decided_by_id_accounts')),
    sa.ForeignKeyConstraint(['first_id'], ['items.id'], name=op.f('fk_item_pairs_first_id_items'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['second_id'], ['items.id'], name=op.f('fk_item_pairs_second_id_items'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_item_pairs')),
    sa.UniqueConstraint('first_id', 'second_id', name=op.f('uq_item_pairs_first_id_second_id'))
    )
    with op.batch_alter_table('item_pairs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_item_pairs_second_id'), ['second_id'], unique=False)

    op.create_table('bulk_runs',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('account_id', sa.Integer(), nullable=False),
    sa.Column('action', sa.String(length=20), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('point_id', sa.Integer(), nullable=True),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.Column('changes', sa.JSON(), nullable=False),
    sa.Column('refused', sa.JSON(), nullable=False),
    sa.Column('undone_at', qbank.kernel.times.UtcDateTime(), nullable=True),
    sa.ForeignKeyConstraint(['account_id'], ['accounts.id'], name=op.f('fk_bulk_runs_account_id_accounts')),
    sa.ForeignKeyConstraint(['point_id'], ['points.id'], name=op.f('fk_bulk_runs_point_id_points')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_bulk_runs'))
    )
    with op.batch_alter_table('bulk_runs', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_bulk_runs_account_id'), ['account_id'], unique=False)

    op.create_table('likenesses',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('first_id', sa.Integer(), nullable=False),
    sa.Column('second_id', sa.Integer(), nullable=False),
    sa.Column('score', sa.Double(), nullable=False),
    sa.Column('found_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.CheckConstraint('first_id < second_id', name=op.f('ck_likenesses_order')),
    sa.ForeignKeyConstraint(['first_id'], ['items.id'], name=op.f('fk_likenesses_first_id_items'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['second_id'], ['items.id'], name=op.f('fk_likenesses_second_id_items'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_likenesses')),
    sa.UniqueConstraint('first_id', 'second_id', name=op.f('uq_likenesses_first_id_second_id'))
    )
    with op.batch_alter_table('likenesses', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_likenesses_second_id'), ['second_id'], unique=False)

    op.create_table('review_tasks',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.Column('reviewer_id', sa.Integer(), nullable=False),
    sa.Column('due', sa.Date(), nullable=False),
    sa.Column('asked_by_id', sa.Integer(), nullable=False),
    sa.Column('asked_at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['asked_by_id'], ['accounts.id'], name=op.f('fk_review_tasks_asked_by_id_accounts')),
    sa.ForeignKeyConstraint(['reviewer_id'], ['accounts.id'], name=op.f('fk_review_tasks_reviewer_id_accounts')),
    sa.ForeignKeyConstraint(['version_id'], ['item_versions.id'], name=op.f('fk_review_tasks_version_id_item_versions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_review_tasks')),
    sa.UniqueConstraint('version_id', 'reviewer_id', name=op.f('uq_review_tasks_version_id_reviewer_id'))
    )
    with op.batch_alter_table('review_tasks', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_review_tasks_reviewer_id'), ['reviewer_id'], unique=False)

    op.create_table('second_keys',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('version_id', sa.Integer(), nullable=False),
    sa.Column('reviewer_id', sa.Integer(), nullable=False),
    sa.Column('answer', sa.Text(), nullable=False),
    sa.Column('agrees', sa.Boolean(), nullable=True),
    sa.Column('at', qbank.kernel.times.UtcDateTime(), nullable=False),
    sa.ForeignKeyConstraint(['reviewer_id'], ['accounts.id'], name=op.f('fk_second_keys_reviewer_id_accounts')),
    sa.ForeignKeyConstraint(['version_id'], ['item_versions.id'], name=op.f('fk_second_keys_version_id_item_versions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_second_keys')),
    sa.UniqueConstraint('version_id', 'reviewer_id', name=op.f('uq_second_keys_version_id_reviewer_id'))
    )
    with op.batch_alter_table('import_batches', schema=None) as batch_op:
        batch_op.add_column(sa.Column('format', sa.String(length=20), server_default='excel', nullable=False))
        batch_op.add_column(sa.Column('applied_by_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('layout', sa.JSON(), server_default='[]', nullable=False))
        batch_op.create_foreign_key(batch_op.f('fk_import_batches_applied_by_id_accounts'), 'accounts', ['applied_by_id'], ['id'])
        batch_op.add_column(sa.Column('purpose', sa.Enum('EXAM', 'PRACTICE', name='purpose', native_enum=False, length=10), server_default='EXAM', nullable=False))

    with op.batch_alter_table('import_rows', schema=None) as batch_op:
        batch_op.add_column(sa.Column('place', sa.String(length=200), server_default='', nullable=False))
        batch_op.add_column(sa.Column('mended', sa.Boolean(), server_default=sa.false(), nullable=False))
        batch_op.add_column(sa.Column('alike', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('problems', sa.JSON(), server_default='[]', nullable=False))
        batch_op.add_column(sa.Column('content_hash', sa.String(length=64), server_default='', nullable=False))
        batch_op.add_column(sa.Column('earlier', sa.JSON(), server_default='[]', nullable=False))
        batch_op.create_index('ix_import_rows_content', ['batch_id', 'content_hash'], unique=False)

    with op.batch_alter_table('item_versions', schema=None) as batch_op:
        batch_op.add_column(sa.Column('guide', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('words', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('stimulus_id', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('source_page', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('source_author', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('review_due', sa.Date(), nullable=True))
        batch_op.add_column(sa.Column('used_at', qbank.kernel.times.UtcDateTime(), nullable=True))
        batch_op.alter_column('retired_reason', new_column_name='state_reason')
        batch_op.alter_column('key',
               existing_type=sa.VARCHAR(length=10),
               type_=sa.Text(),
               existing_nullable=False)
        batch_op.create_index(batch_op.f('ix_item_versions_stimulus_id'), ['stimulus_id'], unique=False)
        batch_op.create_foreign_key(batch_op.f('fk_item_versions_stimulus_id_stimuli'), 'stimuli', ['stimulus_id'], ['id'])
        batch_op.drop_index('uq_item_versions_standing')
        batch_op.create_index('ix_item_versions_listed', ['item_id', 'state', 'point_id', 'kind', 'difficulty', 'author_id'], unique=False)
        batch_op.create_index('uq_item_versions_standing', ['item_id'], unique=True,
                              sqlite_where=sa.text("state IN ('APPROVED', 'IN_USE')"),
                              postgresql_where=sa.text("state IN ('APPROVED', 'IN_USE')"))

    sql = ("UPDATE item_versions SET words = lower(stem || char(10) || coalesce("
           "(SELECT group_concat(text, char(10)) FROM options WHERE options.version_id = item_versions.id), ''))")
    if op.get_bind().dialect.name == "postgresql":
        sql = sql.replace("char(10)", "chr(10)").replace("group_concat", "string_agg")
    op.execute(sa.text(sql))
    with op.batch_alter_table('items', schema=None) as batch_op:
        batch_op.add_column(sa.Column('purpose', sa.Enum('EXAM', 'PRACTICE', name='purpose', native_enum=False, length=10), server_default='EXAM', nullable=False))
        batch_op.add_column(sa.Column('purpose_reason', sa.Text(), server_default='', nullable=False))

    with op.batch_alter_table('reviews', schema=None) as batch_op:
        batch_op.add_column(sa.Column('verdict', sa.Enum('ACCEPT', 'MINOR', 'MAJOR', name='verdict', native_enum=False, length=10), server_default='ACCEPT', nullable=False))
        batch_op.add_column(sa.Column('estimate', sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column('reply', sa.Text(), server_default='', nullable=False))
        batch_op.add_column(sa.Column('replied_at', qbank.kernel.times.UtcDateTime(), nullable=True))

    op.execute(sa.text("""
        UPDATE item_versions SET used_at = (SELECT min(papers.sealed_at) FROM papers JOIN paper_items
            ON paper_items.paper_id = papers.id WHERE paper_items.version_id = item_versions.id AND papers.state = 'SEALED')
        """))
    op.execute(sa.text("UPDATE item_versions SET state = 'IN_USE' WHERE state = 'APPROVED' AND used_at IS NOT NULL"))
    op.execute(sa.text("UPDATE reviews SET verdict = 'MAJOR' WHERE NOT approves"))
    with op.batch_alter_table('reviews', schema=None) as batch_op:
        batch_op.alter_column('verdict', server_default=None)
        batch_op.drop_column('approves')


def downgrade() -> None:
    raise NotImplementedError("restore the backup that was taken before the upgrade")
