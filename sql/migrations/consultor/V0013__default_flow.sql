-- consultor V0013: the flow that every consultant of health plans starts with. Where it is there already, nothing happens.
-- Lock: ROW EXCLUSIVE on flows, as any insert.

INSERT INTO flows (name, vertical, description, definition, is_template)
VALUES (
    'Triagem Básica - Planos de Saúde',
    'health_plans',
    'Fluxo padrão para qualificação de leads de planos de saúde',
    '{
        "etapas": [
            {
                "id": "perfil",
                "tipo": "escolha",
                "pergunta": "Você busca plano para:",
                "opcoes": [
                    {"rotulo": "Só eu", "valor": "individual"},
                    {"rotulo": "Casal", "valor": "casal"},
                    {"rotulo": "Família", "valor": "familia"},
                    {"rotulo": "Empresa", "valor": "empresarial"}
                ],
                "proxima": "idade"
            },
            {
                "id": "idade",
                "tipo": "escolha",
                "pergunta": "Qual a faixa de idade do titular?",
                "opcoes": [
                    {"rotulo": "Até 30 anos", "valor": "ate_30"},
                    {"rotulo": "31 a 45 anos", "valor": "31_45"},
                    {"rotulo": "46 a 60 anos", "valor": "46_60"},
                    {"rotulo": "Mais de 60 anos", "valor": "mais_60"}
                ],
                "proxima": "copart"
            },
            {
                "id": "copart",
                "tipo": "escolha",
                "pergunta": "Aceita plano com coparticipação, que tem mensalidade menor?",
                "opcoes": [
                    {"rotulo": "Sim", "valor": "sim"},
                    {"rotulo": "Não", "valor": "nao"}
                ],
                "proxima": "encerramento"
            },
            {
                "id": "encerramento",
                "tipo": "mensagem",
                "mensagem": "Obrigado! Vou preparar uma comparação de planos para você.",
                "acao": "gerar_comparacao",
                "proxima": null
            }
        ]
    }',
    TRUE
)
ON CONFLICT (name, vertical, version) WHERE is_template DO NOTHING;
