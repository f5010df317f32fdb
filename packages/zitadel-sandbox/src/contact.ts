/** The end of many a message of the authorization endpoint. */
export const contact = 'If you have any questions, you may contact the administrator of the application.';
